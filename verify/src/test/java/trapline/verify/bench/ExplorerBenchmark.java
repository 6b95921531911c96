package trapline.verify.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import trapline.journal.Journal;
import trapline.replayer.JsonTree;
import trapline.replayer.Session;
import trapline.replayer.explore.Explorer;

/// What the explorer's first paint of a long session asks for, and a jump to any of its events, against a short one in
/// the same log. All of it is read through the broker: no place that is jumped to is near one of the last ones.
final class ExplorerBenchmark implements Benchmarks.Benchmark {

    private static final int RUNS = 5;
    private static final List<String> FIGURES = List.of("firstPaint", "jump", "step");

    @Override
    public Map<String, Object> run() throws Exception {
        Map<String, List<Double>> large = new LinkedHashMap<>();
        Map<String, List<Double>> small = new LinkedHashMap<>();
        try (Broker broker = new Broker()) {
            String log = "kafka:" + broker.address();
            String ten = Child.task("1g", "record", log, "10000000").get("session").asText();
            String tenth = Child.task("1g", "record", log, "100000").get("session").asText();
            for (int i = 0; i < RUNS; i++) {
                add(large, Child.task("256m", "explore", log, ten, "60"));
                add(small, Child.task("256m", "explore", log, tenth, "60"));
            }
        }
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("baseline", "the same in a session of 100,000 events");
        result.put("atMost", 1.5);
        for (String figure : FIGURES) {
            Figures far = new Figures(large.get(figure));
            Figures near = new Figures(small.get(figure));
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("ratio", Figures.rounded(Figures.ratio(far, near)));
            row.put("millis", far.tree());
            row.put("baselineMillis", near.tree());
            result.put(figure, row);
        }
        return result;
    }

    private static void add(Map<String, List<Double>> all, JsonNode measured) {
        for (String figure : FIGURES) {
            all.computeIfAbsent(figure, _ -> new ArrayList<>())
                    .add(measured.get(figure).asDouble());
        }
    }

    /// Medians in milliseconds, of which the first half of what is done is for warming up.
    static Map<String, Object> measure(Journal journal, String name, int times) {
        SplittableRandom random = new SplittableRandom(7);
        List<Double> paints = new ArrayList<>();
        List<Double> jumps = new ArrayList<>();
        List<Double> steps = new ArrayList<>();
        long events;
        try (Session session = Session.open(journal, name)) {
            events = session.entry().closing().orElseThrow().events();
        }
        for (int i = 0; i < 2 * times; i++) {
            long order = random.nextLong(1, events + 1);
            long start = System.nanoTime();
            try (Explorer explorer = new Explorer(journal, Session.open(journal, name))) {
                JsonTree.text(explorer.info());
                JsonTree.text(explorer.at(order, OptionalInt.empty()));
                JsonTree.text(
                        explorer.timeline(Math.max(0, order - 500), order + 500, 600, Set.of()));
                JsonTree.text(explorer.minimap(600));
                note(paints, i >= times, start);
            }
        }
        try (Explorer explorer = new Explorer(journal, Session.open(journal, name))) {
            for (int i = 0; i < 2 * times; i++) {
                long order = far(i, events, random);
                time(jumps, i >= times, () -> explorer.at(order, OptionalInt.empty()));
                time(steps, i >= times, () -> explorer.at(order - 1, OptionalInt.empty()));
            }
        }
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("events", events);
        result.put("firstPaint", new Figures(paints).median());
        result.put("jump", new Figures(jumps).median());
        result.put("step", new Figures(steps).median());
        return result;
    }

    /// In the first fifth of the session, then in the next, and so on.
    private static long far(int i, long events, SplittableRandom random) {
        long fifth = events / 5;
        return i % 5 * fifth + random.nextLong(2, fifth);
    }

    private static void time(List<Double> millis, boolean counts, Supplier<Object> asking) {
        long start = System.nanoTime();
        JsonTree.text(asking.get());
        note(millis, counts, start);
    }

    private static void note(List<Double> millis, boolean counts, long start) {
        if (counts) {
            millis.add((System.nanoTime() - start) / 1e6);
        }
    }
}

package trapline.verify.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The time to reach a random event of a long session, against a short one in the same log.
final class SeekBenchmark implements Benchmarks.Benchmark {

    private static final int RUNS = 5;

    @Override
    public Map<String, Object> run() throws Exception {
        List<Double> large = new ArrayList<>();
        List<Double> small = new ArrayList<>();
        try (Broker broker = new Broker()) {
            String log = "kafka:" + broker.address();
            String ten = Child.task("1g", "record", log, "10000000").get("session").asText();
            String tenth = Child.task("1g", "record", log, "100000").get("session").asText();
            for (int i = 0; i < RUNS; i++) {
                JsonNode far = Child.task("1g", "seek", log, ten, "100");
                JsonNode near = Child.task("1g", "seek", log, tenth, "100");
                large.add(far.get("millis").asDouble());
                small.add(near.get("millis").asDouble());
            }
        }
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("baseline", "the same in a session of 100,000 events");
        result.put("atMost", 1.5);
        result.put("ratio", Figures.rounded(Figures.ratio(new Figures(large), new Figures(small))));
        result.put("millis", new Figures(large).tree());
        result.put("baselineMillis", new Figures(small).tree());
        return result;
    }
}

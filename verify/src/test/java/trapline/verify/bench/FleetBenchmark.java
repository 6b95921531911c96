package trapline.verify.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import trapline.cli.Main;
import trapline.engine.policy.Policies;
import trapline.fleet.diff.FleetRuns;
import trapline.fleet.diff.FleetRuns.Question;
import trapline.fleet.diff.FleetRuns.Submitted;
import trapline.fleet.diff.FleetTotals;
import trapline.fleet.diff.SessionPattern;
import trapline.journal.Journal;
import trapline.journal.Journals;

/// Sessions evaluated a second by two workers, against one; each evaluates one session at a time,
/// in one thread.
final class FleetBenchmark implements Benchmarks.Benchmark {

    private static final int RUNS = 5;
    private static final int SESSIONS = 48;
    private static final long EVENTS = 200_000;

    @Override
    public Map<String, Object> run() throws Exception {
        List<Double> one = new ArrayList<>();
        List<Double> two = new ArrayList<>();
        try (Broker broker = new Broker()) {
            String log = "kafka:" + broker.address();
            for (int i = 0; i < SESSIONS / 2; i++) {
                Child.task("512m", "record", log, Long.toString(EVENTS));
            }
            try (Journal journal = Journals.open(log, Optional.empty());
                    Child _ = worker(log)) {
                FleetRuns runs = new FleetRuns(journal);
                measure(runs, one);
                try (Child _ = worker(log)) {
                    measure(runs, two);
                }
            }
        }
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("baseline", "one worker, --parallel 1");
        result.put("atLeast", 1.7);
        result.put("ratio", Figures.rounded(new Figures(two).median() / new Figures(one).median()));
        result.put("sessions", SESSIONS);
        result.put("eventsEach", EVENTS);
        result.put("sessionsPerMinute", new Figures(two).tree());
        result.put("baselineSessionsPerMinute", new Figures(one).tree());
        return result;
    }

    private static Child worker(String log) throws Exception {
        Child worker =
                Child.ours(
                        "256m",
                        Main.class,
                        "worker",
                        "--only",
                        "diffs",
                        "--parallel",
                        "1",
                        "--log",
                        log);
        worker.line();
        Thread.sleep(8_000);
        return worker;
    }

    /// The first two rounds warm up who is new.
    private static void measure(FleetRuns runs, List<Double> perMinute) {
        for (int i = 0; i < RUNS + 2; i++) {
            double seconds = seconds(runs);
            if (i > 1) {
                perMinute.add(60 * SESSIONS / seconds);
            }
        }
    }

    private static double seconds(FleetRuns runs) {
        long start = System.nanoTime();
        Submitted submitted =
                runs.submit(
                        new SessionPattern("benchmark"),
                        new Question(
                                Optional.empty(),
                                new Policies(_ -> Optional.empty()).resolve("kvm-6.1,spec-ctrl=v4"),
                                Optional.empty()));
        FleetTotals totals = new FleetTotals(submitted.run());
        runs.follow(submitted.run(), totals::add, () -> !totals.complete());
        if (totals.done() != SESSIONS) {
            throw new IllegalStateException(totals.failures().toString());
        }
        return (System.nanoTime() - start) / 1e9;
    }
}

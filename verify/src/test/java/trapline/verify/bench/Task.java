package trapline.verify.bench;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import trapline.engine.cost.CostProfile;
import trapline.engine.guest.GuestRun;
import trapline.engine.policy.Policies;
import trapline.engine.sim.Execution;
import trapline.engine.sim.Ingredients;
import trapline.engine.sim.ModelWorld;
import trapline.engine.state.MachineState;
import trapline.journal.ExitTail;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.recorder.Driver;
import trapline.recorder.Plan;
import trapline.recorder.Recorded;
import trapline.recorder.Recorder;
import trapline.replayer.Diff;
import trapline.replayer.DiffResult;
import trapline.replayer.Rebuild;
import trapline.replayer.Session;
import trapline.replayer.Verification;
import trapline.replayer.Verify;

/// One measurement in a process of its own; prints one line of JSON.
final class Task {

    private Task() {}

    public static void main(String[] args) throws Exception {
        Map<String, Object> result =
                switch (args[0]) {
                    case "engine" -> engine(args[1], Long.parseLong(args[2]));
                    case "record" -> record(args[1], Long.parseLong(args[2]));
                    case "rebuild" -> rebuild(args[1], args[2]);
                    case "verify" -> verify(args[1], args[2]);
                    case "diff" -> diff(args[1], args[2], args[3]);
                    case "seek" -> seek(args[1], args[2], Integer.parseInt(args[3]));
                    case "load" ->
                            ExitLoad.run(args[1], Long.parseLong(args[2]), Long.parseLong(args[3]));
                    case "tail" -> tail(args[1], Long.parseLong(args[2]));
                    case "explore" -> explore(args[1], args[2], Integer.parseInt(args[3]));
                    case "parse" -> Map.of("linesPerSecond", ImportBenchmark.parse(args[1]));
                    default -> throw new IllegalArgumentException(args[0]);
                };
        System.out.println(Json.of(result));
    }

    /// The loop alone, after two rounds of warming up.
    private static Map<String, Object> engine(String cpu, long events) {
        Map<String, Object> result = new LinkedHashMap<>();
        for (int round = 0; round < 3; round++) {
            Ingredients parts = Workload.plan(cpu, "kvm-6.1", events).ingredients();
            long[] counts = new long[1];
            Execution execution =
                    parts.machines(parts.policy())
                            .execution(new ModelWorld(1, 1), _ -> counts[0]++);
            GuestRun run = parts.guest().start(1);
            long start = System.nanoTime();
            execution.start();
            execution.run(run);
            double seconds = seconds(start);
            result.put("events", counts[0]);
            result.put("eventsPerSecond", counts[0] / seconds);
            result.put("opsPerSecond", execution.machine().vcpu(0).op() / seconds);
            result.putIfAbsent("coldOpsPerSecond", result.get("opsPerSecond"));
        }
        return result;
    }

    /// A session into a log, and once more when the JVM has compiled what runs.
    private static Map<String, Object> record(String log, long events) {
        Map<String, Object> result = new LinkedHashMap<>();
        try (Journal journal = Journals.open(log, Optional.empty())) {
            result.put("coldEventsPerSecond", record(journal, events, result));
            result.put("eventsPerSecond", record(journal, events, result));
            result.put("heapMiB", heap());
        }
        return result;
    }

    private static double record(Journal journal, long events, Map<String, Object> result) {
        Plan plan = Workload.plan("Icelake-Server", "kvm-6.1", events);
        long start = System.nanoTime();
        Recorded recorded =
                new Recorder(journal, "benchmark", InstantSource.system())
                        .record(plan, Driver.guest(plan.ingredients()), () -> true, _ -> {});
        double seconds = seconds(start);
        result.put("session", recorded.session());
        result.put("events", recorded.events());
        result.put("guestOps", recorded.guestOps());
        return recorded.events() / seconds;
    }

    /// Folds every event from the first, so that no checkpoint helps; and once more, compiled.
    private static Map<String, Object> rebuild(String log, String name) {
        Map<String, Object> result = new LinkedHashMap<>();
        try (Journal journal = Journals.openReadOnly(log, Optional.empty())) {
            result.put("coldEventsPerSecond", rebuild(journal, name));
            result.put("eventsPerSecond", rebuild(journal, name));
        }
        return result;
    }

    private static double rebuild(Journal journal, String name) {
        try (Session session = Session.open(journal, name)) {
            MachineState machine = new MachineState(session.config());
            long start = System.nanoTime();
            session.events((envelope, _) -> {
                machine.apply(envelope);
                return true;
            });
            return machine.order() / seconds(start);
        }
    }

    private static Map<String, Object> verify(String log, String name) {
        try (Journal journal = Journals.openReadOnly(log, Optional.empty())) {
            long start = System.nanoTime();
            Verification verification = Verify.of(journal, name, _ -> {});
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("ok", verification.ok());
            result.put("events", verification.events());
            result.put("eventsPerSecond", verification.events() / seconds(start));
            result.put("heapMiB", heap());
            return result;
        }
    }

    /// The whole comparison, and once more, compiled.
    private static Map<String, Object> diff(String log, String name, String candidate) {
        double cold = (double) compare(log, name, candidate).get("opsPerSecond");
        Map<String, Object> result = compare(log, name, candidate);
        result.put("coldOpsPerSecond", cold);
        return result;
    }

    private static Map<String, Object> compare(String log, String name, String candidate) {
        try (Journal journal = Journals.openReadOnly(log, Optional.empty());
                Session session = Session.open(journal, name)) {
            CostProfile costs = CostProfile.find("intel", _ -> Optional.empty());
            long start = System.nanoTime();
            DiffResult diff =
                    new Diff(
                                    session,
                                    session.policy(),
                                    new Policies(_ -> Optional.empty()).resolve(candidate))
                            .run(costs, _ -> {});
            double seconds = seconds(start);
            long ops = diff.base().tally().guestOps();
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("guestOps", ops);
            result.put("opsPerSecond", ops / seconds);
            result.put("identical", diff.guestVisible().identical());
            result.put("heapMiB", heap());
            return result;
        }
    }

    /// Seeks to random events, the first of them for warming up.
    private static Map<String, Object> seek(String log, String name, int times) {
        SplittableRandom random = new SplittableRandom(7);
        try (Journal journal = Journals.openReadOnly(log, Optional.empty());
                Session session = Session.open(journal, name)) {
            long events = session.entry().closing().orElseThrow().events();
            double total = 0;
            for (int i = 0; i < 2 * times; i++) {
                long start = System.nanoTime();
                MachineState machine = new Rebuild(session).at(random.nextLong(1, events + 1));
                if (machine.order() == 0) {
                    throw new IllegalStateException();
                }
                total += i < times ? 0 : seconds(start);
            }
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("events", events);
            result.put("millis", total * 1000 / times);
            return result;
        }
    }

    /// Everything that dashboards are told, from the first record on.
    private static Map<String, Object> tail(String log, long exits) {
        try (Journal journal = Journals.openReadOnly(log, Optional.empty());
                ExitTail tail = journal.exits(Instant.EPOCH)) {
            long start = System.nanoTime();
            long found = 0;
            while (found < exits) {
                found += tail.poll(Duration.ofMillis(100)).exits().size();
            }
            return Map.of("exits", found, "exitsPerSecond", found / seconds(start));
        }
    }

    private static Map<String, Object> explore(String log, String name, int times) {
        try (Journal journal = Journals.openReadOnly(log, Optional.empty())) {
            return ExplorerBenchmark.measure(journal, name, times);
        }
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / 1e9;
    }

    private static long heap() {
        Runtime runtime = Runtime.getRuntime();
        return (runtime.totalMemory() - runtime.freeMemory()) >> 20;
    }
}

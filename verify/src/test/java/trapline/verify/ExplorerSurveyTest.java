package trapline.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.Moment;
import trapline.engine.event.ObservedEvent.TraceClock;
import trapline.engine.event.ObservedEvent.TraceOpened;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Stamp;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;
import trapline.engine.rule.Rules;
import trapline.engine.sim.EventSink;
import trapline.engine.sim.Execution;
import trapline.engine.sim.Ingredients;
import trapline.engine.table.Msrs;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.journal.SessionWriter;
import trapline.recorder.Plan;
import trapline.replayer.JsonTree;
import trapline.replayer.ObservedState;
import trapline.replayer.Session;
import trapline.replayer.explore.Explorer;
import trapline.schemas.Checkpoint;
import trapline.schemas.ClosingRecord;
import trapline.schemas.Digest;
import trapline.schemas.EventEncoder;
import trapline.schemas.SessionHeader;
import trapline.schemas.SessionHeader.Guest;
import trapline.schemas.SessionHeader.GuestKind;
import trapline.schemas.SessionHeader.Machine;
import trapline.schemas.SessionHeader.Versions;

/// What is read of a whole session in the background, and what is shown of a trace.
class ExplorerSurveyTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long DEADLINE_NANOS = 120_000_000_000L;

    private static final String LOOP =
            """
            scenario: loop
            vcpus: 2
            program:
              - wrmsr: {msr: IA32_SPEC_CTRL, value: 0x1}
              - repeat: 1500
                do:
                  - run: 20000
                  - wrmsr: {msr: IA32_SPEC_CTRL, value: 0x5}
                  - cpuid: {leaf: 0x1}
                  - wrmsr: {msr: IA32_TSC_DEADLINE, value: {random: [0x10000, 0xffffff]}}
                  - wrmsr: {msr: IA32_SPEC_CTRL, value: 0x1}
                  - out: {port: 0x20, size: 1, value: 0x20}
              - repeat: 500
                do:
                  - cpuid: {leaf: 0x1}
            """;

    @TempDir Path folder;

    private static JsonNode json(Object tree) {
        try {
            return JSON.readTree(JsonTree.text(tree));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Asks until what is read in the background is whole.
    private static JsonNode whole(String ready, Supplier<Object> asking) {
        long deadline = System.nanoTime() + DEADLINE_NANOS;
        while (true) {
            JsonNode answer = json(asking.get());
            if (answer.get(ready).asDouble() == 1) {
                return answer;
            }
            assertTrue(System.nanoTime() < deadline, () -> "not in time: " + answer.get(ready));
            Thread.onSpinWait();
        }
    }

    private Journal files() {
        return Journals.open("file:" + folder, Optional.empty());
    }

    @Test
    void binsHaveEveryExitOnce() {
        Plan plan = Guests.scenario(LOOP, "Icelake-Server", "kvm-6.1");
        List<Envelope> events = Guests.events(plan);
        long last = events.size();
        assertTrue(last > 50_000, "longer than what is drawn event by event: " + last);
        try (Journal journal = files()) {
            String name = Guests.record(journal, plan).session();
            try (Explorer explorer = new Explorer(journal, Session.open(journal, name))) {
                for (int most : new int[] {10, 600, 100_000}) {
                    JsonNode map = whole("ready", () -> explorer.minimap(most));
                    assertFalse(map.get("exact").asBoolean());
                    assertEquals(2, map.get("lanes").size());
                    for (JsonNode lane : map.get("lanes")) {
                        assertTrue(lane.get("bins").size() <= most);
                        assertTrue(lane.get("bins").size() > Math.min(most, 300) / 3);
                        assertBins(lane, events, 0, last);
                    }
                }
                JsonNode part =
                        json(explorer.timeline(2000, last - 2000, 50, Set.of(Msrs.SPEC_CTRL)));
                assertFalse(part.get("exact").asBoolean());
                part.get("lanes").forEach(lane -> assertBins(lane, events, 2000, last - 2000));
                part.get("lanes").forEach(ExplorerSurveyTest::assertOneRow);
                assertValues(plan, json(explorer.minimap(600)));
            }
        }
    }

    private static void assertOneRow(JsonNode lane) {
        assertEquals(1, lane.get("intercepts").size());
        assertEquals("IA32_SPEC_CTRL", lane.get("intercepts").get(0).get("name").asText());
    }

    /// Each bin as a recount says, the whole range covered without a gap.
    private static void assertBins(JsonNode lane, List<Envelope> events, long from, long to) {
        long next = lane.get("bins").get(0).get(0).asLong();
        assertTrue(next <= from);
        for (JsonNode bin : lane.get("bins")) {
            assertEquals(next, bin.get(0).asLong());
            next = bin.get(1).asLong();
            Map<String, Long> expected = new TreeMap<>();
            for (long order = bin.get(0).asLong() + 1; order <= next; order++) {
                Envelope event = events.get((int) order - 1);
                if (event.stamp().vcpu() == lane.get("vcpu").asInt()
                        && event.event() instanceof VmExited exit) {
                    expected.merge(
                            trapline.engine.table.ExitReasons.vmx(exit.reason()), 1L, Long::sum);
                }
            }
            Map<String, Long> found = new TreeMap<>();
            bin.get(3)
                    .properties()
                    .forEach(count -> found.put(count.getKey(), count.getValue().asLong()));
            assertEquals(expected, found);
            assertEquals(
                    expected.values().stream().mapToLong(Long::longValue).sum(),
                    bin.get(2).asLong());
        }
        assertTrue(next >= to);
    }

    /// Where a run has one value, that is what the live machine had all along.
    private static void assertValues(Plan plan, JsonNode map) {
        int[] sure = new int[1];
        List<JsonNode> runs = new ArrayList<>();
        map.get("lanes").forEach(lane -> runs.add(lane.get("specCtrl").get("hardware")));
        int[] at = new int[runs.size()];
        Guests.run(
                plan,
                (envelope, machine) -> {
                    for (int vcpu = 0; vcpu < at.length; vcpu++) {
                        JsonNode run = run(runs.get(vcpu), at, vcpu, envelope.stamp().order());
                        if (run != null && !run.get(2).asText().equals("mixed")) {
                            sure[0]++;
                            assertEquals(
                                    "0x"
                                            + Long.toHexString(
                                                    machine.hardwareMsr(
                                                            machine.vcpu(vcpu), Msrs.SPEC_CTRL)),
                                    run.get(2).asText(),
                                    () -> envelope + " in " + run);
                        }
                    }
                });
        assertTrue(sure[0] > 500, "the guest's last part leaves SPEC_CTRL alone: " + sure[0]);
    }

    private static JsonNode run(JsonNode runs, int[] at, int vcpu, long order) {
        while (at[vcpu] < runs.size() && runs.get(at[vcpu]).get(1).asLong() <= order) {
            at[vcpu]++;
        }
        JsonNode run = at[vcpu] < runs.size() ? runs.get(at[vcpu]) : null;
        return run == null || run.get(0).asLong() > order ? null : run;
    }

    /// One way in which a rule was broken, and after which events.
    private static Map<String, Set<Long>> broken(Plan plan) {
        Map<String, Set<Long>> broken = new TreeMap<>();
        Ingredients parts = plan.ingredients();
        Rules[] rules = new Rules[1];
        Execution execution =
                parts.machines(parts.policy())
                        .execution(
                                parts.world(),
                                new EventSink() {
                                    @Override
                                    public void accept(Envelope envelope) {
                                        rules[0].accept(envelope);
                                    }

                                    @Override
                                    public void at(Moment moment, int vcpu) {
                                        rules[0].at(moment, vcpu);
                                    }
                                });
        rules[0] =
                new Rules(
                        execution.machine(),
                        execution.setup(),
                        (rule, stamp, message) ->
                                broken.computeIfAbsent(
                                                rule.text() + " " + stamp.vcpu() + " " + message,
                                                _ -> new TreeSet<>())
                                        .add(stamp.order()));
        execution.start();
        execution.run(parts.guest().start(parts.seed()));
        return broken;
    }

    @Test
    void brokenRulesAreFoundWhereTheyWereBroken() {
        Plan plan = Guests.plan("nested-spec-ctrl", "EPYC-Rome", "kvm-6.1");
        Map<String, Set<Long>> expected = broken(plan);
        TreeSet<Long> places = new TreeSet<>();
        expected.values().forEach(places::addAll);
        assertTrue(places.size() > 5, "many places: " + places);
        try (Journal journal = files()) {
            String name = Guests.record(journal, plan).session();
            try (Explorer explorer = new Explorer(journal, Session.open(journal, name))) {
                JsonNode timeline =
                        whole(
                                "violationsReady",
                                () -> explorer.timeline(0, 40_000, 1_000_000, Set.of()));
                assertTrue(timeline.get("violationsNote").isNull());
                Map<String, Set<Long>> found = new TreeMap<>();
                for (JsonNode lane : timeline.get("lanes")) {
                    for (JsonNode one : lane.get("violations")) {
                        found.computeIfAbsent(
                                        one.get("rule").asText()
                                                + " "
                                                + one.get("vcpu").asInt()
                                                + " "
                                                + one.get("message").asText(),
                                        _ -> new TreeSet<>())
                                .add(one.get("order").asLong());
                    }
                }
                assertEquals(expected, found);
                assertEquals(List.copyOf(places), visited(explorer, 0, true));
                assertEquals(
                        List.copyOf(places.descendingSet()),
                        visited(explorer, Long.MAX_VALUE, false));
                JsonNode at = json(explorer.at(places.getFirst(), OptionalInt.empty()));
                assertTrue(at.get("violationsReady").asBoolean());
                assertEquals(
                        expected.values().stream()
                                .filter(orders -> orders.contains(places.getFirst()))
                                .count(),
                        at.get("violations").size());
            }
        }
    }

    private static List<Long> visited(Explorer explorer, long from, boolean next) {
        List<Long> visited = new ArrayList<>();
        long order = from;
        while (true) {
            JsonNode found = json(explorer.seek(order, OptionalInt.empty(), next, "violation"));
            if (found.get("place").isNull()) {
                assertFalse(found.get("more").asBoolean());
                return visited;
            }
            order = found.get("place").get("order").asLong();
            visited.add(order);
        }
    }

    /// A trace of two vCPUs, written event by event.
    private static final class Trace {

        private static final byte[] NO_STATE = {0};

        private final SessionWriter writer;
        private final EventEncoder encoder;
        private final List<Envelope> events = new ArrayList<>();
        private final long[] seqs = new long[2];

        Trace(Journal journal, String name) {
            SessionHeader header =
                    new SessionHeader(
                            name,
                            1,
                            new Versions("test", Ingredients.MODEL_VERSION),
                            new Guest(GuestKind.TRACE, "trace.txt", 0),
                            new Machine("", 2, 2),
                            "",
                            Optional.empty(),
                            List.of());
            writer = journal.create(header, Map.of());
            encoder = new EventEncoder(journal.framing());
            event(0, 0, new TraceOpened("trace.txt", "ftrace", TraceClock.NANOSECONDS));
        }

        long event(int vcpu, long cause, Event event) {
            long order = events.size() + 1L;
            Stamp stamp =
                    new Stamp(
                            order,
                            vcpu,
                            ++seqs[vcpu],
                            vcpu,
                            order == 1 ? Stamp.Scope.VM : Stamp.Scope.VCPU,
                            0,
                            0,
                            cause);
            Envelope envelope = new Envelope(stamp, event);
            events.add(envelope);
            writer.append(encoder.encode(envelope));
            if (order % 7000 == 0) {
                writer.checkpoint(
                        new Checkpoint(
                                "trace",
                                order,
                                seqs.clone(),
                                new long[2],
                                0,
                                encoder.chain(),
                                0,
                                NO_STATE));
            }
            return order;
        }

        long hit(int vcpu, long cause, Tracepoint point, int present, long... values) {
            return event(
                    vcpu,
                    cause,
                    new TracepointHit(
                            1000L * (events.size() + 1L),
                            100 + vcpu,
                            point,
                            TraceFields.of(present, values, "")));
        }

        void close() {
            writer.finish(
                    new ClosingRecord(
                            events.size(),
                            seqs,
                            0,
                            Digest.of(new byte[] {0}),
                            encoder.chain(),
                            events.size() / 7000,
                            ""));
            writer.close();
        }
    }

    private static final int VMX = 1;
    private static final int MSR_WRITE = 32;
    private static final int CPUID = 10;

    /// Two vCPUs in turn: one writes SPEC_CTRL, the other asks for CPUID.
    private static Trace trace(Journal journal, int rounds) {
        Trace trace = new Trace(journal, "trace");
        for (int round = 0; round < rounds; round++) {
            long exit =
                    trace.hit(0, 0, Tracepoint.KVM_EXIT, 0b1110, VMX, MSR_WRITE, 0x1000L + round);
            trace.hit(1, 0, Tracepoint.KVM_EXIT, 0b0110, VMX, CPUID);
            trace.hit(0, exit, Tracepoint.KVM_MSR, 0b1111, 1, Msrs.SPEC_CTRL, round % 2, 0);
            trace.hit(0, exit, Tracepoint.KVM_ENTRY, 0b1, 0);
            trace.hit(1, 0, Tracepoint.KVM_ENTRY, 0b1, 1);
        }
        trace.close();
        return trace;
    }

    @Test
    void ofATraceThereIsWhatWasSeen() {
        try (Journal journal = files()) {
            Trace trace = trace(journal, 10);
            try (Explorer explorer = new Explorer(journal, Session.open(journal, "trace"));
                    Session beside = Session.open(journal, "trace")) {
                for (Envelope event : trace.events) {
                    Stamp stamp = event.stamp();
                    JsonNode at = json(explorer.at(stamp.vcpu(), stamp.seq()));
                    assertEquals(stamp.order(), at.get("place").get("order").asLong());
                    assertEquals(
                            json(ObservedState.at(beside, stamp.vcpu(), stamp.seq())),
                            at.get("state"));
                }
                // Round 1 begins with event 7: exit of vCPU 0, exit of vCPU 1, WRMSR, entries.
                JsonNode wrote = json(explorer.at(9, OptionalInt.empty()));
                assertEquals(7, wrote.get("causes").get(0).get("order").asLong());
                JsonNode exit = json(explorer.at(7, OptionalInt.empty()));
                assertEquals(2, exit.get("effects").size());
                assertEquals(9, exit.get("effects").get(0).get("order").asLong());
                assertEquals(10, exit.get("effects").get(1).get("order").asLong());
                boolean changed = false;
                for (JsonNode row : wrote.get("changed")) {
                    if (row.get("path").asText().equals("msrs.guest.IA32_SPEC_CTRL")) {
                        changed = true;
                        assertEquals("0x0", row.get("old").asText());
                        assertEquals("0x1", row.get("new").asText());
                    }
                }
                assertTrue(changed, wrote.get("changed")::toString);
                JsonNode lanes = json(explorer.timeline(6, 11, 100, Set.of())).get("lanes");
                assertEquals(
                        "[[6,7,\"guest\",null,1,4],[7,10,\"exit\",\"MSR_WRITE IA32_SPEC_CTRL\",1,5],"
                                + "[10,11,\"guest\",null,1,7]]",
                        lanes.get(0).get("mode").toString());
                assertEquals(
                        "[[6,8,\"guest\",null,1,2],[8,11,\"exit\",\"CPUID\",1,3],[11,11,\"guest\",null,1,4]]",
                        lanes.get(1).get("mode").toString());
                assertEquals(
                        "[[6,9,\"0x0\"],[9,11,\"0x1\"]]",
                        lanes.get(0).get("specCtrl").get("guest").toString());
                assertEquals(
                        "[[6,11,\"unknown\"]]",
                        lanes.get(1).get("specCtrl").get("guest").toString());
                JsonNode next = json(explorer.seek(9, OptionalInt.of(0), true, "msr:SPEC_CTRL"));
                assertEquals(14, next.get("place").get("order").asLong());
                JsonNode before = json(explorer.seek(9, OptionalInt.of(1), false, "exit"));
                assertEquals(8, before.get("place").get("order").asLong());
            }
        }
    }

    @Test
    void aLongTraceIsSeenEverywhereOnceItWasRead() {
        try (Journal journal = files()) {
            Trace trace = trace(journal, 24_000);
            int last = trace.events.size();
            assertEquals(120_001, last);
            try (Explorer explorer = new Explorer(journal, Session.open(journal, "trace"));
                    Session beside = Session.open(journal, "trace")) {
                JsonNode map = whole("ready", () -> explorer.minimap(100));
                long exits = 0;
                for (JsonNode bin : map.get("lanes").get(1).get("bins")) {
                    exits += bin.get(3).get("CPUID").asLong();
                    assertEquals(bin.get(2), bin.get(3).get("CPUID"));
                }
                assertEquals(24_000, exits);
                for (int order : new int[] {1, 19_999, 20_001, 77_777, 119_999, last}) {
                    Stamp stamp = trace.events.get(order - 1).stamp();
                    JsonNode at = json(explorer.at(order, OptionalInt.empty()));
                    assertEquals(
                            json(ObservedState.at(beside, stamp.vcpu(), stamp.seq())),
                            at.get("state"));
                }
            }
        }
    }
}

package trapline.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
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
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmEntryFailed;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.HypervisorEvent.VmcsFieldWritten;
import trapline.engine.event.Kvm;
import trapline.engine.state.MachineState;
import trapline.engine.state.VcpuState;
import trapline.engine.table.Msrs;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.recorder.Plan;
import trapline.replayer.JsonTree;
import trapline.replayer.Rebuild;
import trapline.replayer.Session;
import trapline.replayer.StateView;
import trapline.replayer.explore.Explorer;

/// What the explorer shows of a session is what reading all of it says.
class ExplorerTest {

    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir Path folder;

    /// A recorded session, looked at and read beside.
    private final class Looked implements AutoCloseable {

        final Journal journal = Journals.open("file:" + folder, Optional.empty());
        final Session session;
        final Explorer explorer;
        final List<Envelope> events;

        Looked(Plan plan, long checkpointEvery) {
            String name =
                    Guests.record(
                                    Guests.recorder(journal).withCheckpointEvery(checkpointEvery),
                                    plan)
                            .session();
            session = Session.open(journal, name);
            explorer = new Explorer(journal, Session.open(journal, name));
            events = Guests.events(plan);
        }

        JsonNode state(long order) {
            Rebuild rebuild = new Rebuild(session);
            MachineState machine = rebuild.at(order);
            int vcpu = events.get((int) order - 1).stamp().vcpu();
            return json(
                    StateView.of(
                            session.name(), machine, vcpu, rebuild.failedEntry(machine, vcpu)));
        }

        @Override
        public void close() {
            explorer.close();
            session.close();
            journal.close();
        }
    }

    private static JsonNode json(Object tree) {
        try {
            return JSON.readTree(JsonTree.text(tree));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static final String LOOP =
            """
            scenario: loop
            program:
              - wrmsr: {msr: IA32_SPEC_CTRL, value: 0x1}
              - repeat: 2000
                do:
                  - run: 20000
                  - wrmsr: {msr: IA32_SPEC_CTRL, value: 0x5}
                  - cpuid: {leaf: 0x1}
                  - wrmsr: {msr: IA32_TSC_DEADLINE, value: {random: [0x10000, 0xffffff]}}
                  - wrmsr: {msr: IA32_SPEC_CTRL, value: 0x1}
                  - out: {port: 0x20, size: 1, value: 0x20}
                  - host-interrupt: {vector: 0xec}
              - wrmsr: {msr: IA32_PRED_CMD, value: 0x1}
            """;

    /// Every leaf by its path, lists of MSRs by their names.
    private static void flatten(String path, JsonNode node, Map<String, String> leaves) {
        if (node.isObject()) {
            node.properties()
                    .forEach(field ->
                            flatten(
                                    path.isEmpty() ? field.getKey() : path + "." + field.getKey(),
                                    field.getValue(),
                                    leaves));
        } else if (node.isArray() && path.startsWith("intercepts.")) {
            for (JsonNode row : node) {
                for (String access : List.of("read", "write")) {
                    leaves.put(
                            path + "." + row.get("msr").asText() + "." + access,
                            row.get(access).toString());
                }
            }
        } else {
            leaves.put(path, node.toString());
        }
    }

    private static Map<String, List<String>> difference(JsonNode before, JsonNode after) {
        Map<String, String> was = new TreeMap<>();
        Map<String, String> is = new TreeMap<>();
        flatten("", before, was);
        flatten("", after, is);
        Map<String, List<String>> changes = new TreeMap<>();
        Set<String> all = new java.util.TreeSet<>(was.keySet());
        all.addAll(is.keySet());
        all.removeAll(Set.of("session", "vcpu", "seq", "order", "tick", "op", "digest"));
        for (String path : all) {
            String a = was.getOrDefault(path, "null");
            String b = is.getOrDefault(path, "null");
            if (!a.equals(b)) {
                changes.put(path, List.of(a, b));
            }
        }
        return changes;
    }

    /// A row that came or went as a whole is one change there, and one for each leaf here.
    private static Map<String, List<String>> changes(JsonNode rows) {
        Map<String, List<String>> changes = new TreeMap<>();
        for (JsonNode row : rows) {
            Map<String, String> was = new TreeMap<>();
            Map<String, String> is = new TreeMap<>();
            flatten(row.get("path").asText(), row.get("old"), was);
            flatten(row.get("path").asText(), row.get("new"), is);
            boolean whole = row.get("old").isObject() || row.get("new").isObject();
            if (whole) {
                was.remove(row.get("path").asText());
                is.remove(row.get("path").asText());
            }
            Set<String> all = new java.util.TreeSet<>(was.keySet());
            all.addAll(is.keySet());
            all.forEach(path ->
                    changes.put(
                            path,
                            List.of(
                                    was.getOrDefault(path, "null"),
                                    is.getOrDefault(path, "null"))));
        }
        return changes;
    }

    @ParameterizedTest
    @CsvSource({
        "nested-spec-ctrl,     Icelake-Server, kvm-7.1,  250, 17",
        "linux-6.1-tasks-2cpu, EPYC-Milan,     kvm-6.1,  1000, 61",
        "every-op,             EPYC-Milan,     kvm-7.1,  333, 11",
        "spec-ctrl-forced,     SapphireRapids, 'kvm-7.1,spec-ctrl-force=hw-shadow', 555, 5",
    })
    void stateAndWhatChanged(String guest, String cpu, String policy, long every, int step) {
        try (Looked looked = new Looked(Guests.plan(guest, cpu, policy), every)) {
            int changing = 0;
            for (int order = 1; order <= looked.events.size(); order += step) {
                Envelope event = looked.events.get(order - 1);
                JsonNode at =
                        json(
                                order % 2 == 0
                                        ? looked.explorer.at(order, OptionalInt.empty())
                                        : looked.explorer.at(
                                                event.stamp().vcpu(), event.stamp().seq()));
                assertEquals(order, at.get("place").get("order").asLong());
                assertEquals(event.stamp().vcpu(), at.get("place").get("vcpu").asInt());
                assertEquals(event.stamp().seq(), at.get("place").get("seq").asLong());
                assertEquals(looked.state(order), at.get("state"), () -> "at " + event);
                JsonNode before =
                        json(
                                StateView.of(
                                        looked.session.name(),
                                        order == 1
                                                ? new MachineState(looked.session.config())
                                                : new Rebuild(looked.session).at(order - 1),
                                        event.stamp().vcpu()));
                ((com.fasterxml.jackson.databind.node.ObjectNode) before).remove("entryFailure");
                JsonNode after = at.get("state").deepCopy();
                Map<String, List<String>> expected = difference(before, after);
                Map<String, List<String>> found = changes(at.get("changed"));
                expected.keySet().removeIf(path -> path.startsWith("entryFailure"));
                found.keySet().removeIf(path -> path.startsWith("entryFailure"));
                assertEquals(expected, found, () -> "at " + event);
                changing += expected.isEmpty() ? 0 : 1;
            }
            assertTrue(changing > 10, "most events change something");
        }
    }

    @Test
    void causesLeadToTheGuestsOpAndEffectsAreWhatNamesThemAsCause() {
        Plan plan = Guests.plan("linux-6.1-tasks-2cpu", "EPYC-Milan", "kvm-6.1");
        try (Looked looked = new Looked(plan, 1000)) {
            int caused = 0;
            for (int order = 1; order <= looked.events.size(); order += 37) {
                Envelope event = looked.events.get(order - 1);
                JsonNode at = json(looked.explorer.at(order, OptionalInt.empty()));
                List<Long> causes = new ArrayList<>();
                for (long cause = event.stamp().cause(); cause != 0; ) {
                    causes.add(cause);
                    cause = looked.events.get((int) cause - 1).stamp().cause();
                }
                assertEquals(causes, orders(at.get("causes")));
                int of = order;
                List<Long> effects =
                        looked.events.stream()
                                .filter(other -> other.stamp().cause() == of)
                                .map(other -> other.stamp().order())
                                .toList();
                assertEquals(effects, orders(at.get("effects")), () -> "of " + event);
                assertFalse(at.get("effectsMore").asBoolean());
                Envelope root =
                        causes.isEmpty()
                                ? event
                                : looked.events.get(causes.getLast().intValue() - 1);
                if (root.event() instanceof VmExited) {
                    caused++;
                    Envelope op =
                            looked.events.stream()
                                    .filter(other ->
                                            other.stamp().vcpu() == root.stamp().vcpu()
                                                    && other.stamp().op() == root.stamp().op()
                                                    && other.event() instanceof GuestEvent)
                                    .findFirst()
                                    .orElse(null);
                    assertEquals(
                            op == null ? null : op.stamp().order(),
                            at.get("guestOp").isNull()
                                    ? null
                                    : at.get("guestOp").get("order").asLong());
                } else {
                    assertTrue(at.get("guestOp").isNull());
                }
            }
            assertTrue(caused > 20, "many follow an exit: " + caused);
        }
    }

    private static List<Long> orders(JsonNode events) {
        List<Long> orders = new ArrayList<>();
        events.forEach(event -> orders.add(event.get("order").asLong()));
        return orders;
    }

    @Test
    void neighboursAreOfTheSameVcpuAndMeetOthersOfItsChunks() {
        try (Looked looked = new Looked(Guests.scenario(LOOP, "Icelake-Server", "kvm-6.1"), 7000)) {
            int size = looked.events.size();
            assertTrue(size > 40_100, "three chunks: " + size);
            for (long order : new long[] {1, 2, 30, 19_999, 20_000, 20_001, 40_001, size}) {
                JsonNode at = json(looked.explorer.at(order, OptionalInt.empty()));
                List<Long> expected = new ArrayList<>();
                for (long near = Math.max(1, order - 20);
                        near <= Math.min(size, order + 20);
                        near++) {
                    expected.add(near);
                }
                assertEquals(expected, orders(at.get("around")));
                assertEquals(order == 1, at.get("isFirst").asBoolean());
                assertEquals(order == size, at.get("isLast").asBoolean());
                assertEquals(looked.state(order), at.get("state"));
            }
            JsonNode end = json(looked.explorer.atEnd(0));
            assertEquals(size, end.get("place").get("order").asLong());
            JsonNode beginning = json(looked.explorer.at(0, 0));
            assertTrue(beginning.get("event").isNull());
            assertEquals(20, beginning.get("around").size());
            assertEquals(1, beginning.get("around").get(0).get("order").asLong());
        }
    }

    private record Looking(String to, Predicate<Envelope> wanted) {}

    @Test
    void seeksForwardAndBackwardMeetWhatAPlainScanFinds() {
        try (Looked looked = new Looked(Guests.scenario(LOOP, "Icelake-Server", "kvm-6.1"), 7000)) {
            List<Looking> lookings =
                    List.of(
                            new Looking("event", _ -> true),
                            new Looking("exit", e -> e.event() instanceof VmExited),
                            new Looking(
                                    "entry",
                                    e ->
                                            e.event() instanceof VmEntered
                                                    || e.event() instanceof VmEntryFailed),
                            new Looking(
                                    "intercept:SPEC_CTRL",
                                    e ->
                                            e.event() instanceof MsrInterceptChanged c
                                                    && c.msr() == Msrs.SPEC_CTRL),
                            new Looking(
                                    "where:type == 'VmcsFieldWritten' && tick > 1000000",
                                    e ->
                                            e.event() instanceof VmcsFieldWritten
                                                    && e.stamp().tick() > 1_000_000));
            for (Looking looking : lookings) {
                List<Long> expected =
                        looked.events.stream()
                                .filter(looking.wanted())
                                .map(event -> event.stamp().order())
                                .toList();
                assertFalse(expected.isEmpty(), looking.to());
                for (long from : new long[] {0, 1, 19_998, 20_000, 20_001, 33_333, 41_000}) {
                    assertEquals(
                            expected.stream().filter(order -> order > from).findFirst(),
                            found(looked, from, true, looking.to()),
                            () -> looking.to() + " after " + from);
                    assertEquals(
                            expected.reversed().stream().filter(order -> order < from).findFirst(),
                            found(looked, from, false, looking.to()),
                            () -> looking.to() + " before " + from);
                }
            }
        }
    }

    /// Asks again as long as that is worth it.
    private static Optional<Long> found(Looked looked, long from, boolean next, String to) {
        long order = from;
        while (true) {
            JsonNode found = json(looked.explorer.seek(order, OptionalInt.empty(), next, to));
            if (!found.get("place").isNull()) {
                return Optional.of(found.get("place").get("order").asLong());
            }
            if (!found.get("more").asBoolean()) {
                return Optional.empty();
            }
            order = found.get("searchedTo").asLong();
        }
    }

    /// Whatever changes a field or an MSR is a write of it, and so is what writes the same value again.
    @ParameterizedTest
    @CsvSource({
        "every-op, EPYC-Milan, kvm-7.1",
        "every-op, Icelake-Server, kvm-6.18",
        "nested-spec-ctrl, Icelake-Server, kvm-7.1",
    })
    void writesOfFieldsAndMsrsIncludeEveryChange(String guest, String cpu, String policy) {
        Plan plan = Guests.plan(guest, cpu, policy);
        try (Looked looked = new Looked(plan, 1000)) {
            Map<String, Set<Long>> changes = new TreeMap<>();
            Map<String, Long> values = new TreeMap<>();
            Guests.run(
                    plan,
                    (envelope, machine) -> {
                        VcpuState vcpu = machine.vcpu(envelope.stamp().vcpu());
                        for (int structure : new int[] {1, 2, 12}) {
                            vcpu.image(structure)
                                    .layout()
                                    .fields()
                                    .forEach(field ->
                                            noteChange(
                                                    "field:" + field.name(),
                                                    vcpu.id() + "/" + structure,
                                                    vcpu.image(structure).get(field),
                                                    envelope,
                                                    values,
                                                    changes));
                        }
                        for (int msr : new int[] {Msrs.SPEC_CTRL, Msrs.EFER, Msrs.FS_BASE}) {
                            noteChange(
                                    "msr:" + Msrs.name(msr),
                                    "" + vcpu.id(),
                                    vcpu.msr(msr),
                                    envelope,
                                    values,
                                    changes);
                        }
                    });
            assertTrue(changes.size() > 20, "many fields change: " + changes.keySet());
            changes.forEach((to, expected) -> {
                Set<Long> found = new java.util.TreeSet<>();
                Optional<Long> next = found(looked, 0, true, to);
                while (next.isPresent()) {
                    found.add(next.get());
                    next = found(looked, next.get(), true, to);
                }
                assertTrue(found.containsAll(expected), () -> to + ": " + expected + found);
                List<Long> back = new ArrayList<>();
                next = found(looked, Long.MAX_VALUE, false, to);
                while (next.isPresent()) {
                    back.add(next.get());
                    next = found(looked, next.get(), false, to);
                }
                assertEquals(List.copyOf(found), back.reversed(), to);
            });
        }
    }

    private static void noteChange(
            String to,
            String of,
            long value,
            Envelope envelope,
            Map<String, Long> values,
            Map<String, Set<Long>> changes) {
        Long was = values.put(to + of, value);
        if ((was == null ? 0 : was) != value && envelope.stamp().order() > 1) {
            changes.computeIfAbsent(to, _ -> new java.util.TreeSet<>())
                    .add(envelope.stamp().order());
        }
    }

    /// Mode, SPEC_CTRL and interception of every vCPU after each event, told by the live machine.
    @ParameterizedTest
    @CsvSource({
        "linux-6.1-tasks-2cpu, EPYC-Milan,     kvm-6.1,  1, 3000",
        "linux-6.1-tasks-2cpu, Icelake-Server, kvm-6.1,  500, 900",
        "nested-spec-ctrl,     EPYC-Milan,     kvm-6.12, 0, 100000",
        "every-op,             Icelake-Server, kvm-6.18, 120, 450",
    })
    void lanesAreWhatTheMachineDid(String guest, String cpu, String policy, long from, long to) {
        assertLanes(Guests.plan(guest, cpu, policy), from, to);
    }

    /// Two vCPUs on the pCPUs of one another, with values of their own in SPEC_CTRL.
    @ParameterizedTest
    @CsvSource({"Icelake-Server, kvm-6.1", "EPYC-Milan, kvm-6.12", "EPYC-Rome, kvm-6.1"})
    void vcpusThatShareAPcpu(String cpu, String policy) {
        String text =
                """
                scenario: sharing
                vcpus: 2
                program:
                  - repeat: 20
                    do:
                      - wrmsr: {msr: IA32_SPEC_CTRL, value: {random: [0, 1]}}
                      - run: {random: [100, 5000]}
                      - cpuid: {leaf: 0x1}
                      - preempt: {pcpu: 1}
                      - run: {random: [100, 5000]}
                      - wrmsr: {msr: IA32_SPEC_CTRL, value: {random: [0, 1]}}
                      - preempt: {pcpu: 0}
                      - preempt: {}
                """;
        assertLanes(Guests.scenario(text, cpu, policy), 0, 100_000);
    }

    private void assertLanes(Plan plan, long from, long to) {
        try (Looked looked = new Looked(plan, 100)) {
            long end = Math.min(to, looked.events.size());
            JsonNode timeline =
                    json(looked.explorer.timeline(from, to, 600, Set.of(Msrs.SPEC_CTRL)));
            assertEquals(end, timeline.get("to").asLong());
            for (JsonNode lane : timeline.get("lanes")) {
                tiles(lane.get("mode"), from, end);
                tiles(lane.get("specCtrl").get("hardware"), from, end);
                tiles(lane.get("specCtrl").get("guest"), from, end);
                tiles(lane.get("intercepts").get(0).get("runs"), from, end);
            }
            Guests.run(
                    plan,
                    (envelope, machine) -> {
                        long order = envelope.stamp().order();
                        if (order < from || order > end) {
                            return;
                        }
                        for (int id = 0; id < machine.vcpus(); id++) {
                            JsonNode lane = timeline.get("lanes").get(id);
                            VcpuState vcpu = machine.vcpu(id);
                            assertEquals(
                                    mode(vcpu), at(lane.get("mode"), order), () -> "" + envelope);
                            assertEquals(
                                    hex(machine.hardwareMsr(vcpu, Msrs.SPEC_CTRL)),
                                    at(lane.get("specCtrl").get("hardware"), order),
                                    () -> "" + envelope);
                            assertEquals(
                                    hex(vcpu.msr(Msrs.SPEC_CTRL)),
                                    at(lane.get("specCtrl").get("guest"), order));
                            assertEquals(
                                    (vcpu.bitmap(1).exits(Msrs.SPEC_CTRL, false) ? "r" : "")
                                            + (vcpu.bitmap(1).exits(Msrs.SPEC_CTRL, true)
                                                    ? "w"
                                                    : ""),
                                    at(lane.get("intercepts").get(0).get("runs"), order));
                        }
                    });
        }
    }

    private static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }

    private static String mode(VcpuState vcpu) {
        return switch (vcpu.mode()) {
            case GUEST -> vcpu.level() == 1 ? "guest" : "l2";
            case HALTED -> "halted";
            case ROOT ->
                    vcpu.kvm(Kvm.LOADED) == 0 ? "put" : vcpu.kvm(Kvm.EXITS) == 0 ? "host" : "exit";
        };
    }

    private static void tiles(JsonNode runs, long from, long to) {
        assertEquals(from, runs.get(0).get(0).asLong());
        assertEquals(to, runs.get(runs.size() - 1).get(1).asLong());
        for (int i = 1; i < runs.size(); i++) {
            assertEquals(runs.get(i - 1).get(1), runs.get(i).get(0));
            assertTrue(runs.get(i).get(0).asLong() <= runs.get(i).get(1).asLong());
        }
    }

    /// What held after an event: the last run that had begun by then.
    private static String at(JsonNode runs, long order) {
        String value = null;
        for (JsonNode run : runs) {
            if (run.get(0).asLong() <= order) {
                value = run.get(2).asText();
            }
        }
        return value;
    }

    @Test
    void anEntryThatFailedIsInStateAndLane() {
        String text =
                """
                scenario: failing
                program:
                  - nested: {fields: {asid: 0}, do: [{run: 1}]}
                  - cpuid: {leaf: 0x1}
                """;
        try (Looked looked = new Looked(Guests.scenario(text, "EPYC-Milan", "kvm-6.1"), 1000)) {
            int failures = 0;
            for (int order = 1; order <= looked.events.size(); order++) {
                JsonNode at = json(looked.explorer.at(order, OptionalInt.empty()));
                assertEquals(looked.state(order), at.get("state"));
                failures += at.get("state").has("entryFailure") ? 1 : 0;
            }
            assertTrue(failures > 0, "from the failure to the next entry");
            long failed = firstOf(looked, VmEntryFailed.class, 0);
            long entered = firstOf(looked, VmEntered.class, failed);
            JsonNode lane =
                    json(looked.explorer.timeline(0, Long.MAX_VALUE, 600, Set.of()))
                            .get("lanes")
                            .get(0);
            List<String> runs = new ArrayList<>();
            for (JsonNode run : lane.get("mode")) {
                if (run.get(2).asText().equals("entryFailed")) {
                    runs.add(run.get(0) + " to " + run.get(1));
                }
            }
            assertEquals(List.of(failed + " to " + entered), runs);
        }
    }

    private static long firstOf(Looked looked, Class<?> type, long after) {
        return looked.events.stream()
                .filter(event -> type.isInstance(event.event()) && event.stamp().order() > after)
                .findFirst()
                .orElseThrow()
                .stamp()
                .order();
    }

    @Test
    void anExitIsLabelledWithWhatItWasAbout() {
        String text =
                """
                scenario: labels
                program:
                  - wrmsr: {msr: IA32_TSC_DEADLINE, value: 0x10000}
                  - cpuid: {leaf: 0x1}
                  - out: {port: 0x20, size: 1, value: 0x20}
                """;
        try (Looked looked = new Looked(Guests.scenario(text, "Icelake-Server", "kvm-6.1"), 1000)) {
            JsonNode lane =
                    json(looked.explorer.timeline(0, Long.MAX_VALUE, 600, Set.of()))
                            .get("lanes")
                            .get(0);
            List<String> labels = new ArrayList<>();
            for (JsonNode run : lane.get("mode")) {
                if (run.get(2).asText().equals("exit") && !labels.contains(run.get(3).asText())) {
                    labels.add(run.get(3).asText());
                }
            }
            assertEquals(
                    List.of("MSR_WRITE IA32_TSC_DEADLINE", "CPUID", "IO_INSTRUCTION 0x20"), labels);
        }
    }

    @Test
    void sessionInfoHasItsEndAndWhatOneCanLookFor() {
        Plan plan = Guests.plan("linux-6.1-tasks-2cpu", "EPYC-Milan", "kvm-6.1");
        try (Looked looked = new Looked(plan, 100)) {
            JsonNode info = json(looked.explorer.info());
            long[] seqs = new long[2];
            looked.events.forEach(event -> seqs[event.stamp().vcpu()]++);
            assertEquals(looked.events.size(), info.get("events").asLong());
            assertEquals(seqs[1], info.get("vcpus").get(1).get("events").asLong());
            assertEquals("SVM", info.get("vendor").asText());
            assertEquals(looked.session.name(), info.get("session").asText());
            assertTrue(info.get("checkpoints").size() > 10);
            assertTrue(info.get("checkpoints").size() <= 500);
            assertTrue(info.get("fields").toString().contains("\"spec_ctrl\""));
            assertTrue(info.get("msrs").toString().contains("\"IA32_SPEC_CTRL\""));
            assertNull(info.get("nothing"));
        }
    }
}

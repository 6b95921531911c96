package trapline.engine.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import trapline.engine.Recording;
import trapline.engine.VcpuScenario;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.GuestEvent.Halted;
import trapline.engine.event.GuestEvent.InstructionsRetired;
import trapline.engine.event.GuestEvent.MsrReadBack;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.HypervisorEvent.EventInjected;
import trapline.engine.event.HypervisorEvent.EventType;
import trapline.engine.event.HypervisorEvent.VcpuLoaded;
import trapline.engine.event.HypervisorEvent.VcpuPut;
import trapline.engine.event.InputEvent;
import trapline.engine.event.InputEvent.InterruptArrived;
import trapline.engine.event.InputEvent.Target;
import trapline.engine.event.InputEvent.TimestampRead;
import trapline.engine.event.Outcome;
import trapline.engine.guest.Guest;
import trapline.engine.guest.GuestFile;
import trapline.engine.guest.MsrLog;

/// Who runs when: the total order of a session, its clock, and that nothing but seed and guest decides either.
class SchedulingTest {

    static List<String> guests() {
        return GuestFile.builtIn();
    }

    private static Recording run(String name, long seed) {
        GuestFile file = GuestFile.find(name, _ -> Optional.empty());
        VcpuScenario machine = VcpuScenario.on(file.wishes().cpu().orElseThrow().text()).seed(seed);
        Guest guest = file.guest(machine.platform().vendor(), Optional.empty());
        return machine.run(guest);
    }

    @ParameterizedTest
    @MethodSource("guests")
    void sameSeedGivesTheSameEvents(String name) {
        assertEquals(run(name, 7).envelopes(), run(name, 7).envelopes());
    }

    /// Whatever is drawn is drawn from the seed: operands of the program, the devices' answers, timestamps.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "- run: {random: [1, 1000000]}",
                "- wrmsr: {msr: STAR, value: {random: [0, 0xffffffff]}}",
                "- in: {port: 0xc000, size: 4}",
                "- mmio: {address: 0xfebd0000, size: 8}",
                "- rdtsc"
            })
    void anotherSeedGivesOthers(String op) {
        VcpuScenario machine = VcpuScenario.on("Icelake-Server");
        List<Envelope> one = machine.seed(1).run(op).envelopes();
        assertEquals(one, machine.seed(1).run(op).envelopes());
        assertNotEquals(one, machine.seed(2).run(op).envelopes());
    }

    /// The generator is the vCPU's own: what one draws does not depend on the other's program.
    @Test
    void vcpusDrawApart() {
        VcpuScenario machine = VcpuScenario.on("Icelake-Server");
        String draws = "- repeat: 3\n  do: [ {run: {random: [1, 0xffffffff]}} ]\n";
        Recording both = machine.runEach(draws, draws);
        List<Long> first = counts(both, 0);
        assertNotEquals(first, counts(both, 1));
        assertEquals(first, counts(machine.runEach(draws, "- cpuid: {leaf: 1}\n"), 0));
        assertEquals(first, counts(machine.run(draws), 0));
    }

    private static List<Long> counts(Recording recording, int vcpu) {
        return recording.envelopes().stream()
                .filter(e -> e.stamp().vcpu() == vcpu)
                .<Long>mapMulti((e, out) -> {
                    if (e.event() instanceof InstructionsRetired(_, long count)) {
                        out.accept(count);
                    }
                })
                .toList();
    }

    @ParameterizedTest
    @CsvSource({"5, 5, 5", "0x10, 0x12, 0x10", "0xffffffffffffffff, 0xffffffffffffffff, -1"})
    void drawsBothBounds(String least, String most, String some) {
        String draw = "- wrmsr: {msr: FS_BASE, value: {random: [%s, %s]}}\n".formatted(least, most);
        Recording recording =
                VcpuScenario.on("Icelake-Server").run("- repeat: 200\n  do:\n" + draw.indent(4));
        List<Long> seen =
                recording.all(MsrWritten.class).stream()
                        .map(MsrWritten::value)
                        .distinct()
                        .sorted()
                        .toList();
        long first = Long.decode(some);
        long last = Long.parseUnsignedLong(most.replace("0x", ""), most.startsWith("0x") ? 16 : 10);
        List<Long> expected = new ArrayList<>();
        for (long value = first; value <= last; value++) {
            expected.add(value);
        }
        assertEquals(expected, seen);
    }

    /// One op each in turn, vCPU 0 first; one that has ended is passed over.
    @Test
    void stepsInTurn() {
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .runEach(
                                "- run: 1\n- run: 2\n",
                                "- run: 11\n- run: 12\n- run: 13\n- run: 14\n",
                                "- run: 21\n- run: 22\n- run: 23\n");
        assertEquals(
                List.of(1L, 11L, 21L, 2L, 12L, 22L, 13L, 23L, 14L),
                recording.all(InstructionsRetired.class).stream()
                        .map(InstructionsRetired::count)
                        .toList());
    }

    /// What comes from outside takes no turn: it is before the op it stands before.
    @Test
    void inputsTakeNoTurn() {
        Recording recording =
                VcpuScenario.on("EPYC-Milan")
                        .runEach(
                                """
                                - run: 1
                                - host-interrupt: {vector: 0xec}
                                - host-interrupt: {vector: 0xed}
                                - run: 2
                                """,
                                "- run: 11\n- run: 12\n");
        assertEquals(
                List.of("0 op 1", "1 op 1", "0 input", "0 input", "0 op 2", "1 op 2"),
                places(recording));
    }

    private static List<String> places(Recording recording) {
        return recording.envelopes().stream()
                .filter(e -> e.event() instanceof GuestEvent || e.event() instanceof InputEvent)
                .map(e ->
                        e.event() instanceof InputEvent
                                ? e.stamp().vcpu() + " input"
                                : e.stamp().vcpu() + " op " + e.stamp().op())
                .toList();
    }

    /// An op is one tick, `run: n` is n; exits, faults and host work add none. Each vCPU has its own clock.
    @Test
    void countsInstructionsAttempted() {
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .runEach(
                                """
                                - run: 100
                                - cpuid: {leaf: 1}
                                - wrmsr: {msr: 0xc0012000, value: 1}
                                - host-interrupt: {vector: 0xec}
                                - out: {port: 0x3f8, value: 1}
                                - rdmsr: FS_BASE
                                """,
                                "- run: 7\n");
        assertEquals(List.of(100L, 7L, 101L, 102L, 103L, 104L), ticks(recording, GuestEvent.class));
    }

    private static List<Long> ticks(Recording recording, Class<? extends Event> kind) {
        return recording.envelopes().stream()
                .filter(e -> kind.isInstance(e.event()))
                .map(e -> e.stamp().tick())
                .toList();
    }

    /// RDTSC and RDMSR of the TSC see the tick that they are at, whether the guest reads it or the hypervisor for it.
    @ParameterizedTest
    @ValueSource(strings = {"", ",pass-through=none"})
    void timestampIsTheOpsOwn(String passThrough) {
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .under("kvm-6.1" + passThrough)
                        .run(
                                """
                                - rdtsc
                                - rdmsr: IA32_TSC
                                - run: 1000
                                - cpuid: {leaf: 1}
                                - rdmsr: IA32_TSC
                                - rdtsc
                                """);
        List<Long> values =
                recording.all(TimestampRead.class).stream().map(TimestampRead::value).toList();
        long start = values.getFirst() - 1;
        assertEquals(List.of(start + 1, start + 2, start + 1004, start + 1005), values);
    }

    /// L1 and L2 share the vCPU's clock; what L1 does to set up and to resume are ops like others.
    @ParameterizedTest
    @ValueSource(strings = {"Icelake-Server", "EPYC-Milan"})
    void nestedOpsCountAlike(String cpu) {
        Recording recording =
                VcpuScenario.on(cpu).run("- nested: {do: [{run: 10}, {rdtsc: }]}\n- run: 5\n");
        List<Envelope> ops =
                recording.envelopes().stream()
                        .filter(e -> e.event() instanceof GuestEvent)
                        .toList();
        long tick = 0;
        for (int i = 0; i < ops.size(); i++) {
            assertEquals(i + 1L, ops.get(i).stamp().op());
            tick += ops.get(i).event() instanceof InstructionsRetired(_, long count) ? count : 1;
            assertEquals(tick, ops.get(i).stamp().tick());
        }
    }

    /// A guest that halts and goes on was woken by a timer of its own, a million ticks later.
    @ParameterizedTest
    @ValueSource(strings = {"Icelake-Server", "EPYC-Milan"})
    void wokenByItsTimer(String cpu) {
        Recording recording = VcpuScenario.on(cpu).run("- run: 10\n- hlt\n- run: 5\n");
        assertEquals(List.of(1_000_011L), ticks(recording, InterruptArrived.class));
        assertEquals(List.of(10L, 11L, 1_000_016L), ticks(recording, GuestEvent.class));
        assertEquals(
                new InterruptArrived(Target.GUEST, 0xec), recording.only(InterruptArrived.class));
        assertEquals(
                new EventInjected(0xec, EventType.INTERRUPT, 0),
                recording.only(EventInjected.class));
        assertEquals(1, recording.all(VcpuPut.class).size());
        assertEquals(2, recording.all(VcpuLoaded.class).size());
    }

    /// One that stays halted is not woken.
    @Test
    void sleepsToTheEnd() {
        Recording recording = VcpuScenario.on("Icelake-Server").run("- run: 10\n- hlt\n");
        assertEquals(List.of(), recording.all(InterruptArrived.class));
        assertEquals(1, recording.all(VcpuLoaded.class).size());
    }

    /// The next `interrupt` wakes it at once; one for the host does not.
    @Test
    void wokenByAnInterrupt() {
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .run(
                                """
                                - hlt
                                - host-interrupt: {vector: 0x40}
                                - interrupt: {vector: 0x31}
                                - run: 5
                                """);
        assertEquals(
                List.of(
                        new InterruptArrived(Target.HOST, 0x40),
                        new InterruptArrived(Target.GUEST, 0x31)),
                recording.all(InterruptArrived.class));
        assertEquals(List.of(1L, 6L), ticks(recording, GuestEvent.class));
        assertEquals(0x31, recording.only(EventInjected.class).vector());
    }

    /// The highest of the vectors that wait goes first (SDM vol. 3A, interrupt priority); each once.
    @Test
    void injectsTheHighestFirst() {
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .run(
                                """
                                - hlt
                                - interrupt: {vector: 0x31}
                                - run: 1
                                """);
        assertEquals(List.of(0x31), vectors(recording));
        Recording twice =
                VcpuScenario.on("Icelake-Server")
                        .runEach(
                                """
                                - preempt: {}
                                - interrupt: {vector: 0x31}
                                - interrupt: {vector: 0x82}
                                - interrupt: {vector: 0x31}
                                - run: 1
                                - cpuid: {leaf: 1}
                                - cpuid: {leaf: 1}
                                """);
        assertEquals(List.of(0x82, 0x31), vectors(twice));
    }

    private static List<Integer> vectors(Recording recording) {
        return recording.all(EventInjected.class).stream().map(EventInjected::vector).toList();
    }

    private static final String LOG =
            """
            # seq wallclock vcpu op index value rip symbol
            1 0.5 vcpu1 wrmsr 0xc0000100 0x1 ffffffff81000010 a+0x1
            2 0.6 vcpu1 rdmsr 0xc0000100 0x99 ffffffff81000020 b+0x1 caller c+0x1
            3 0.6 vcpu0 rdmsr 0x48 0x5 ffffffff81000030 d+0x1
            4 0.7 vcpu1 rdmsr 0xfe 0x508 ffffffff81000040 e+0x1
            9 0.8 vcpu0 wrmsr 0xc0012000 0x1 ffffffff81000050 f+0x1
            """;

    /// A log is stepped in its own order, whatever its vCPUs. What was read stands as recorded, but for MSRs that are
    /// modelled in full.
    @Test
    void logKeepsItsOrder() {
        Guest log = MsrLog.parse(LOG, "log");
        Recording recording = VcpuScenario.on("Icelake-Server").run(log);
        assertEquals(2, log.vcpus());
        assertEquals(
                List.of(
                        new MsrWritten(0xffff_ffff_8100_0010L, 0xc000_0100, 1, Outcome.DONE),
                        new MsrReadBack(
                                0xffff_ffff_8100_0020L, 0xc000_0100, 0x99, Outcome.RECORDED),
                        new MsrReadBack(0xffff_ffff_8100_0030L, 0x48, 0, Outcome.DONE),
                        new MsrReadBack(0xffff_ffff_8100_0040L, 0xfe, 0x508, Outcome.RECORDED),
                        new MsrWritten(0xffff_ffff_8100_0050L, 0xc001_2000, 1, Outcome.DONE)),
                recording.all(GuestEvent.class));
        assertEquals(List.of("1 op 1", "1 op 2", "0 op 1", "1 op 3", "0 op 2"), places(recording));
    }

    /// The logs of real kernels: every line once, in the file's order.
    @ParameterizedTest
    @ValueSource(strings = {"linux-6.1-boot-1cpu", "linux-6.1-tasks-2cpu", "linux-eibrs-boot"})
    void realLogsKeepTheirOrder(String name) {
        Function<String, String> place =
                line -> {
                    String[] cells = line.split("\\s+");
                    return "%s %s %x"
                            .formatted(cells[2], cells[3], Long.decode(cells[4]).intValue());
                };
        String text = GuestFile.find(name, _ -> Optional.empty()).text();
        List<String> expected =
                text.lines()
                        .filter(line -> !line.isBlank() && !line.startsWith("#"))
                        .map(place)
                        .toList();
        List<String> found =
                run(name, 1).envelopes().stream()
                        .<String>mapMulti((e, out) -> {
                            if (e.event() instanceof MsrWritten(_, int msr, _, _)) {
                                out.accept("vcpu%d wrmsr %x".formatted(e.stamp().vcpu(), msr));
                            } else if (e.event() instanceof MsrReadBack(_, int msr, _, _)) {
                                out.accept("vcpu%d rdmsr %x".formatted(e.stamp().vcpu(), msr));
                            } else if (e.event() instanceof Halted) {
                                out.accept("halted");
                            }
                        })
                        .toList();
        assertEquals(expected, found);
    }
}

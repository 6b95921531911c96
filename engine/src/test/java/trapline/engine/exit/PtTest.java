package trapline.engine.exit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import trapline.engine.Recording;
import trapline.engine.VcpuScenario;
import trapline.engine.cpu.GuestOp;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent.CpuidExecuted;
import trapline.engine.event.GuestEvent.MsrReadBack;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.HardwareEvent.VmEntryFailed;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.HostMsrRead;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.Outcome;
import trapline.engine.policy.Policies;
import trapline.engine.sim.Execution;
import trapline.engine.sim.Machines;
import trapline.engine.sim.ModelWorld;
import trapline.engine.state.VcpuState;
import trapline.engine.table.Msrs;
import trapline.engine.text.InputException;

/// Intel Processor Trace: which accesses fail, exit or pass, and what entry and exit switch (FACTS 4.4).
class PtTest {

    /// TraceEn, OS, User, ToPA, TSCEn, BranchEn.
    private static final String ON = "0x250d";

    private static final String OFF = "0x250c";

    private static final String HOST =
            """
            platform: host
            extends: Icelake-Server
            host: {pt: %s}
            """;

    private static VcpuScenario under(String policy) {
        return VcpuScenario.on("Icelake-Server").under(policy);
    }

    private static VcpuScenario host(String use, String policy) {
        return VcpuScenario.on("host").platformFile(HOST.formatted(use)).under(policy);
    }

    private static String wrmsr(String msr, String value) {
        return "- wrmsr: {msr: %s, value: %s}\n".formatted(msr, value);
    }

    /// With 2 address ranges, 8 MSRs are switched besides RTIT_CTL. Exits of the program: c c c, base, CTL on, c c c c, CTL
    /// off, c c: 12; the read passes. It traces at the entries after CTL on and after c c c c, 5, and at the
    /// exits for c c c c and CTL off, 5. There is one entry more than exits, the first: 13.
    private static final String PROGRAM =
            """
            - repeat: 3
              do: [ {cpuid: {leaf: 1}} ]
            - wrmsr: {msr: IA32_RTIT_OUTPUT_BASE, value: 0x10000000}
            - wrmsr: {msr: IA32_RTIT_CTL, value: 0x250d}
            - repeat: 4
              do: [ {cpuid: {leaf: 1}} ]
            - rdmsr: IA32_RTIT_STATUS
            - wrmsr: {msr: IA32_RTIT_CTL, value: 0x250c}
            - repeat: 2
              do: [ {cpuid: {leaf: 1}} ]
            """;

    /// Accesses by the hypervisor itself to PT MSRs.
    record Counts(long exits, long saved, long loaded, long fetched, long restored) {

        static Counts of(Recording recording) {
            return new Counts(
                    recording.exits(),
                    reads(recording, HostCause.ENTRY_SAVE),
                    writes(recording, HostCause.ENTRY_LOAD),
                    reads(recording, HostCause.EXIT_SAVE),
                    writes(recording, HostCause.EXIT_RESTORE));
        }

        private static long reads(Recording recording, HostCause cause) {
            return recording
                    .all(HostMsrRead.class, e -> e.cause() == cause && Msrs.trace(e.msr()))
                    .size();
        }

        private static long writes(Recording recording, HostCause cause) {
            return recording
                    .all(HostMsrWritten.class, e -> e.cause() == cause && Msrs.trace(e.msr()))
                    .size();
        }
    }

    /// Lazy: RTIT_CTL is read at each of the 13 entries; at 5 of them it is cleared, and 8 are read and 8
    /// written; at 5 of 12 exits 8 are read and 8 written. RTIT_CTL is written at each exit up to 5.15
    /// (`pt_guest_exit` of 5.15.85), later where the host's is not 0.
    @ParameterizedTest
    @CsvSource({"kvm-5.4, 12", "kvm-5.15, 12", "kvm-6.1, 0", "kvm-6.12, 0", "kvm-7.1, 0"})
    void lazySwitchesOnlyWhileTracing(String tree, long controls) {
        assertEquals(
                new Counts(12, 13 + 5 * 8, 5 * 9, 5 * 8, 5 * 8 + controls),
                Counts.of(under(tree + ",pt=lazy").run(PROGRAM)));
        assertEquals(
                new Counts(12, 13 + 5 * 8, 5 * 9, 5 * 8, 5 * 8 + 12),
                Counts.of(host("on", tree + ",pt=lazy").run(PROGRAM)));
    }

    /// The write of OUTPUT_BASE passes: 11 exits, 12 entries, each of which reads and writes all 9, as exits do the 8.
    @Test
    void alwaysSwitchSwitchesAtEachEntryAndExit() {
        assertEquals(
                new Counts(11, 12 * 9, 12 * 9, 11 * 8, 11 * 8),
                Counts.of(under("kvm-6.1,pt=always-switch").run(PROGRAM)));
        assertEquals(
                new Counts(11, 12 * 9, 12 * 9, 11 * 8, 11 * 8 + 11),
                Counts.of(host("on", "kvm-6.1,pt=always-switch").run(PROGRAM)));
    }

    /// All five writes and reads of PT MSRs exit and fail: 3 + 4 + 2 CPUID, 2 + 1 writes, 1 read.
    @ParameterizedTest
    @ValueSource(strings = {"kvm-5.4", "kvm-6.1", "kvm-7.1,pt=hidden"})
    void hiddenFailsAllAndSwitchesNothing(String policy) {
        Recording recording = host("tracing", policy).run(PROGRAM);
        assertEquals(new Counts(13, 0, 0, 0, 0), Counts.of(recording));
        assertEquals(3, recording.all(MsrWritten.class, e -> e.outcome() == Outcome.GP).size());
        assertEquals(1, recording.all(MsrReadBack.class, e -> e.outcome() == Outcome.GP).size());
        assertEquals(0x250d, recording.machine().pcpu(0).msr(Msrs.RTIT_CTL));
    }

    /// Reads and writes per share of round trips with TraceEn: lazy 1 + 16 s and 17 s, always-switch 17 and 17. Of 100 exits,
    /// n are taken while tracing; besides, each run has the 2 exits for RTIT_CTL and the first entry. The state
    /// at entries: 1 + (100 - n) + 1 off, n + 1 on; at exits: 101 - n off, n + 1 on.
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 10, 50, 99})
    void costFollowsShareOfExitsWhileTracing(int n) {
        String program =
                """
                - repeat: %d
                  do: [ {cpuid: {leaf: 1}} ]
                - wrmsr: {msr: IA32_RTIT_CTL, value: 0x250d}
                %s- wrmsr: {msr: IA32_RTIT_CTL, value: 0x250c}
                """
                        .formatted(
                                100 - n,
                                n == 0
                                        ? ""
                                        : "- repeat: %d\n  do: [ {cpuid: {leaf: 1}} ]\n"
                                                .formatted(n));
        assertEquals(
                new Counts(102, 103 + 8L * (n + 1), 9L * (n + 1), 8L * (n + 1), 8L * (n + 1)),
                Counts.of(under("kvm-6.1,pt=lazy").run(program)));
        assertEquals(
                new Counts(102, 103 * 9, 103 * 9, 102 * 8, 102 * 8),
                Counts.of(under("kvm-6.1,pt=always-switch").run(program)));
    }

    /// Where nothing of the host's is to be kept, what a trace writes stays the guest's on another pCPU.
    @ParameterizedTest
    @ValueSource(strings = {"lazy", "always-switch"})
    void traceMovesWithItsGuest(String variant) {
        Recording recording =
                under("kvm-6.1,pt=" + variant)
                        .run(
                                wrmsr("IA32_RTIT_OUTPUT_BASE", "0x10000000")
                                        + wrmsr("IA32_RTIT_CTL", ON)
                                        + "- preempt: {pcpu: 1}\n- rdmsr: IA32_RTIT_OUTPUT_BASE\n- cpuid: {leaf: 1}\n");
        assertEquals(0x1000_0000, recording.all(MsrReadBack.class, _ -> true).getFirst().value());
        VcpuState vcpu = recording.vcpu();
        assertEquals(0x1000_0000, recording.machine().pcpu(1).msr(Msrs.RTIT_OUTPUT_BASE));
        assertEquals(0, recording.machine().pcpu(0).msr(Msrs.RTIT_OUTPUT_BASE));
        assertEquals(0x1000_0000, vcpu.guestTrace(Msrs.RTIT_OUTPUT_BASE));
    }

    /// Under lazy the other MSRs are the guest's while it traces, and silicon refuses to change them then.
    @ParameterizedTest
    @CsvSource({"lazy, true", "always-switch, false"})
    void guestHasItsMsrsWhileItTraces(String variant, boolean exits) {
        Recording recording =
                under("kvm-6.1,pt=" + variant)
                        .run(
                                wrmsr("IA32_RTIT_CTL", ON)
                                        + wrmsr("IA32_RTIT_STATUS", "1")
                                        + wrmsr("IA32_RTIT_CTL", OFF)
                                        + wrmsr("IA32_RTIT_STATUS", "1"));
        assertEquals(
                List.of(Outcome.DONE, Outcome.GP, Outcome.DONE, Outcome.DONE),
                recording.all(MsrWritten.class, _ -> true).stream()
                        .map(MsrWritten::outcome)
                        .toList());
        assertEquals(exits ? 3 : 2, recording.exits());
    }

    /// `vmx_rtit_ctl_check` and the checks of the others: what each row writes is refused, exiting or not.
    @ParameterizedTest
    @CsvSource({
        "IA32_RTIT_CTL, 0x250d, DONE",
        "IA32_RTIT_CTL, 0x3505, GP",
        "IA32_RTIT_CTL, 0x10, GP",
        "IA32_RTIT_CTL, 0x20, GP",
        "IA32_RTIT_CTL, 0x40, GP",
        "IA32_RTIT_CTL, 0x240d, DONE",
        "IA32_RTIT_CTL, 0xc000, DONE",
        "IA32_RTIT_CTL, 0x4000, GP",
        "IA32_RTIT_CTL, 0x600000, DONE",
        "IA32_RTIT_CTL, 0x680000, GP",
        "IA32_RTIT_CTL, 0x5000000, DONE",
        "IA32_RTIT_CTL, 0x6000000, GP",
        "IA32_RTIT_CTL, 0x2200000000, DONE",
        "IA32_RTIT_CTL, 0x300000000, GP",
        "IA32_RTIT_CTL, 0x10000000000, GP",
        "IA32_RTIT_STATUS, 0x1ffff00000037, DONE",
        "IA32_RTIT_STATUS, 0x8, GP",
        "IA32_RTIT_OUTPUT_BASE, 0x3fffffffff80, DONE",
        "IA32_RTIT_OUTPUT_BASE, 0x40, GP",
        "IA32_RTIT_OUTPUT_BASE, 0x400000000000, GP",
        "IA32_RTIT_CR3_MATCH, 0x1000, DONE",
        "IA32_RTIT_ADDR1_B, 0x7fffffffffff, DONE",
        "IA32_RTIT_ADDR1_B, 0x800000000000, GP",
        "IA32_RTIT_ADDR2_A, 0, GP"
    })
    void checksValues(String msr, String value, Outcome outcome) {
        for (String variant : List.of("lazy", "always-switch")) {
            Recording recording = under("kvm-6.1,pt=" + variant).run(wrmsr(msr, value));
            assertEquals(outcome, recording.only(MsrWritten.class).outcome(), variant);
        }
    }

    /// A running trace can be stopped, and nothing else; up to 5.15 not even with other bits in the same write.
    @ParameterizedTest
    @CsvSource({
        "kvm-5.15, 0x250d, DONE",
        "kvm-5.15, 0x250c, DONE",
        "kvm-5.15, 0x240c, GP",
        "kvm-5.15, 0x240d, GP",
        "kvm-6.1, 0x250d, DONE",
        "kvm-6.1, 0x240c, DONE",
        "kvm-6.1, 0x240d, GP"
    })
    void runningTraceCanOnlyBeStopped(String tree, String value, Outcome outcome) {
        Recording recording =
                under(tree + ",pt=lazy")
                        .run(wrmsr("IA32_RTIT_CTL", ON) + wrmsr("IA32_RTIT_CTL", value));
        assertEquals(outcome, recording.all(MsrWritten.class, _ -> true).get(1).outcome());
    }

    /// CPUID leaf 7 EBX bit 25, and leaf 0x14: 2 ranges, MTC periods 0x249, and so on.
    @Test
    void guestSeesWhatThePolicyOffers() {
        String program =
                "- cpuid: {leaf: 7}\n- cpuid: {leaf: 20, subleaf: 1}\n- cpuid: {leaf: 0}\n";
        List<CpuidExecuted> shown =
                under("kvm-6.1,pt=lazy").run(program).all(CpuidExecuted.class, _ -> true);
        assertEquals(1, shown.get(0).ebx() >>> 25 & 1);
        assertEquals(0x249_0002, shown.get(1).eax());
        assertEquals(0x3f_1fff, shown.get(1).ebx());
        assertEquals(0x14, shown.get(2).eax());
        List<CpuidExecuted> hidden =
                under("kvm-6.1").run(program).all(CpuidExecuted.class, _ -> true);
        assertEquals(0, hidden.get(0).ebx() >>> 25 & 1);
        assertEquals(0, hidden.get(1).eax());
        assertEquals(0xd, hidden.get(2).eax());
    }

    /// "Load IA32_RTIT_CTL" must not be set while something is traced (SDM vol. 3C, 26.2.1.1): host-guest mode fails where
    /// the host traces and the guest does not, which is why it is hidden behind CONFIG_BROKEN now.
    @Test
    void hostThatTracesCannotEnterLazily() {
        Recording lazy = host("tracing", "kvm-6.1,pt=lazy").run("- cpuid: {leaf: 1}\n");
        assertEquals(
                "load-rtit-ctl-while-tracing",
                lazy.all(VmEntryFailed.class, _ -> true).getFirst().check());
        for (String policy : List.of("kvm-6.1", "kvm-6.1,pt=always-switch")) {
            Recording other = host("tracing", policy).run(PROGRAM);
            assertEquals(List.of(), other.all(VmEntryFailed.class, _ -> true));
        }
        Recording fixed =
                VcpuScenario.on("host")
                        .platformFile(HOST.formatted("tracing"))
                        .file(
                                "policy: mine\nextends: kvm-6.1,pt=lazy\npt: {stop-host: when-tracing}\n")
                        .run(PROGRAM);
        assertEquals(List.of(), fixed.all(VmEntryFailed.class, _ -> true));
        // As with a host whose PT is on, and one write more at each of the 8 entries while the
        // guest does not trace.
        assertEquals(new Counts(12, 13 + 5 * 8, 5 * 9 + 8, 5 * 8, 5 * 8 + 12), Counts.of(fixed));
    }

    /// L1 cannot trace while it is in VMX operation.
    @Test
    void vmxOperationEndsTheTrace() {
        Recording recording =
                under("kvm-6.1,pt=lazy")
                        .run("- nested:\n    do: [ {run: 10} ]\n" + wrmsr("IA32_RTIT_CTL", ON));
        assertEquals(
                Outcome.GP,
                recording.all(MsrWritten.class, e -> e.msr() == Msrs.RTIT_CTL).getLast().outcome());
    }

    @ParameterizedTest
    @CsvSource({
        "Broadwell, lazy, pt=lazy cannot apply to Broadwell: the platform has no INTEL_PT",
        "EPYC-Milan, lazy, pt=lazy cannot apply to EPYC-Milan: it is for Intel VMX only",
        "EPYC-Milan, always-switch, pt=always-switch cannot apply to EPYC-Milan: it is for Intel VMX only"
    })
    void refusesWhatThePlatformCannotHave(String cpu, String variant, String message) {
        InputException refused =
                assertThrows(
                        InputException.class,
                        () ->
                                VcpuScenario.on(cpu)
                                        .under("kvm-6.1,pt=" + variant)
                                        .run("- run: 1\n"));
        assertEquals(message, refused.getMessage());
    }

    /// AMD has none of it in any mode.
    @Test
    void failsOnSvm() {
        Recording recording = VcpuScenario.on("EPYC-Milan").under("kvm-6.1,pt=hidden").run(PROGRAM);
        assertEquals(3, recording.count(MsrWritten.class, e -> e.outcome() == Outcome.GP));
    }

    /// A policy's text of before PT was known: its MSRs are values that KVM keeps, as all that it tracks.
    @Test
    void policyWithoutTheKeyKeepsValues() {
        String text = under("kvm-6.1").resolved().identity().text();
        String older = text.replaceAll("(?m)^pt:\n(  .*\n)*", "");
        VcpuScenario scenario = under("kvm-6.1");
        Machines machines =
                new Machines(scenario.platform(), scenario.model(), Policies.parse(older), 1);
        List<Event> events = new ArrayList<>();
        Execution execution =
                machines.execution(new ModelWorld(1, 1), envelope -> events.add(envelope.event()));
        execution.start();
        execution.op(0, new GuestOp.Wrmsr(0x1000, Msrs.RTIT_CTL, 0x250d));
        assertEquals(
                1,
                events.stream()
                        .filter(e -> e instanceof MsrWritten w && w.outcome() == Outcome.DONE)
                        .count());
        assertEquals(0, execution.machine().vcpu(0).guestTrace(Msrs.RTIT_CTL));
    }
}

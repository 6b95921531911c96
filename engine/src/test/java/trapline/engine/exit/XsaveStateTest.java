package trapline.engine.exit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import trapline.engine.Recording;
import trapline.engine.Trees;
import trapline.engine.VcpuScenario;
import trapline.engine.event.GuestEvent.CpuidExecuted;
import trapline.engine.event.GuestEvent.ExtendedStateMoved;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.HostExtendedControlWritten;
import trapline.engine.event.Kvm;
import trapline.engine.event.MsrValues;
import trapline.engine.event.Outcome;
import trapline.engine.table.Msrs;

/// IA32_XSS, XCR0, XSAVES and XRSTORS: FACTS 4.1 to 4.3.
class XsaveStateTest {

    private static final String SPR = "SapphireRapids";

    private static Outcome last(Recording recording) {
        return recording.outcomes().getLast();
    }

    /// Supported bits by tree: none up to 6.12, CET_U and CET_S since. 5.4's SVM code does not know the MSR, and
    /// nothing takes PT (bit 8) or PASID (bit 10). Skylake has no CET.
    @ParameterizedTest
    @CsvSource({
        "SapphireRapids, 5.4-6.12, 0x0, DONE",
        "SapphireRapids, 5.4-6.12, 0x800, GP",
        "SapphireRapids, 6.18+, 0x1800, DONE",
        "SapphireRapids, 6.18+, 0x800, DONE",
        "SapphireRapids, 6.18+, 0x100, GP",
        "SapphireRapids, 6.18+, 0x400, GP",
        "Skylake-Server, all, 0x0, DONE",
        "Skylake-Server, all, 0x800, GP",
        "Broadwell, all, 0x0, GP",
        "EPYC-Milan, 5.4, 0x0, GP",
        "EPYC-Milan, 5.15-6.12, 0x0, DONE",
        "EPYC-Milan, 5.15-6.12, 0x1800, GP",
        "EPYC-Milan, 6.18+, 0x1800, DONE",
        "EPYC-Rome, 6.18+, 0x1800, GP"
    })
    void takesWhatTheTreeSupports(String cpu, String trees, String value, String outcome) {
        for (String tree : Trees.of(trees)) {
            Recording recording =
                    VcpuScenario.on(cpu)
                            .under(tree)
                            .run("- wrmsr: {msr: IA32_XSS, value: " + value + "}\n");
            assertEquals(outcome, last(recording).name(), tree);
        }
    }

    /// The guest's CPUID needs XSAVES; of userspace that is asked in 7.1 alone.
    @ParameterizedTest
    @CsvSource({"kvm-6.12, GP, DONE", "kvm-6.18, GP, DONE", "kvm-7.1, GP, GP"})
    void isThereForGuestsWithXsaves(String tree, String guest, String userspace) {
        VcpuScenario hidden = VcpuScenario.on(SPR).under(tree).guestCpu("{xsaves: false}");
        assertEquals(guest, last(hidden.run("- wrmsr: {msr: IA32_XSS, value: 0}\n")).name());
        Recording host = hidden.run("- host-write: {msr: IA32_XSS, value: 0}\n- run: 1\n");
        assertEquals(
                userspace,
                host.all(trapline.engine.event.HypervisorEvent.UserspaceMsrStored.class)
                        .getLast()
                        .outcome()
                        .name());
    }

    /// Skylake's host has XCR0 0xe7, which the guest has, too, until it sets 7: from then on each entry and each exit
    /// has an XSETBV. There are 2 exits with the new value, of CPUID and of HLT, and 2 entries, behind XSETBV and
    /// behind CPUID. While CR4.OSXSAVE is off there is none: MOV to CR4 exits once more with the new value.
    @ParameterizedTest
    @CsvSource({"all"})
    void switchesXcr0WhereItDiffers(String trees) {
        for (String tree : Trees.of(trees)) {
            VcpuScenario scenario = VcpuScenario.on("Skylake-Server").under(tree);
            String same = "- cpuid: {leaf: 1}\n- cpuid: {leaf: 1}\n";
            assertEquals(0, scenario.run(same).all(HostExtendedControlWritten.class).size(), tree);
            Recording recording = scenario.run("- xsetbv: {value: 7}\n- cpuid: {leaf: 1}\n- hlt\n");
            HostExtendedControlWritten in =
                    new HostExtendedControlWritten(0, 7, HostCause.ENTRY_LOAD);
            HostExtendedControlWritten back =
                    new HostExtendedControlWritten(0, 0xe7, HostCause.EXIT_RESTORE);
            assertEquals(
                    List.of(in, back, in, back),
                    recording.all(HostExtendedControlWritten.class),
                    tree);
            Recording off =
                    scenario.run(
                            "- xsetbv: {value: 7}\n- mov-cr: {cr: 4, value: 0x6a0}\n- cpuid: {leaf: 1}\n");
            assertEquals(List.of(in, back), off.all(HostExtendedControlWritten.class), tree);
        }
    }

    /// The host has bits 11 and 12, and so has the guest until it clears them: 2 entries and 2 exits then.
    @ParameterizedTest
    @CsvSource({"SapphireRapids", "EPYC-Milan"})
    void switchesXssWhereItDiffers(String cpu) {
        for (String tree : Trees.of("6.18+")) {
            VcpuScenario scenario = VcpuScenario.on(cpu).under(tree);
            assertEquals(0x1800, scenario.run("- run: 1\n").vcpu().kvm(Kvm.XSS));
            Recording same = scenario.run("- cpuid: {leaf: 1}\n- cpuid: {leaf: 1}\n");
            assertEquals(0, same.hostWrites(Msrs.XSS, HostCause.ENTRY_LOAD));
            Recording recording =
                    scenario.run("- wrmsr: {msr: IA32_XSS, value: 0}\n- cpuid: {leaf: 1}\n- hlt\n");
            assertEquals(2, recording.hostWrites(Msrs.XSS, HostCause.ENTRY_LOAD), tree);
            assertEquals(2, recording.hostWrites(Msrs.XSS, HostCause.EXIT_RESTORE), tree);
            assertEquals(0x1800, recording.machine().pcpu(0).msr(Msrs.XSS));
        }
    }

    /// A guest that is not shown CET starts with 0: every entry and every exit pays. 1 entry before, 1 behind.
    @Test
    void guestWithoutCetPaysForTheHosts() {
        Recording recording =
                VcpuScenario.on(SPR)
                        .under("kvm-6.18")
                        .guestCpu("{shstk: false, ibt: false}")
                        .run("- cpuid: {leaf: 1}\n");
        assertEquals(2, recording.hostWrites(Msrs.XSS, HostCause.ENTRY_LOAD));
        assertEquals(1, recording.hostWrites(Msrs.XSS, HostCause.EXIT_RESTORE));
    }

    /// AMD can neither intercept nor disable XSAVES: its IA32_XSS is switched although CPUID hides it.
    @ParameterizedTest
    @CsvSource({"SapphireRapids, 0, UD", "EPYC-Milan, 2, DONE"})
    void amdSwitchesForGuestsThatAreNotShownIt(String cpu, int writes, String outcome) {
        Recording recording =
                VcpuScenario.on(cpu)
                        .under("kvm-7.1")
                        .guestCpu("{xsaves: false, shstk: false, ibt: false}")
                        .run("- cpuid: {leaf: 1}\n- xsaves: {mask: 0x1800}\n");
        assertEquals(writes, recording.hostWrites(Msrs.XSS, HostCause.ENTRY_LOAD));
        assertEquals(outcome, last(recording).name());
    }

    /// XSAVES does not exit, whatever the tree; what it saves is what XCR0 and IA32_XSS enable.
    @ParameterizedTest
    @CsvSource({
        "SapphireRapids, 5.4-6.12, 0xe7",
        "SapphireRapids, 6.18+, 0x18e7",
        "EPYC-Milan, 5.4-6.12, 0x7",
        "EPYC-Milan, 6.18+, 0x1807",
        "EPYC-Genoa, 6.18+, 0x18e7"
    })
    void savesWhatIsEnabled(String cpu, String trees, String components) {
        for (String tree : Trees.of(trees)) {
            Recording recording = VcpuScenario.on(cpu).under(tree).run("- xsaves: {mask: -1}\n");
            assertEquals(0, recording.exits(), tree);
            ExtendedStateMoved moved = recording.only(ExtendedStateMoved.class);
            assertEquals(Long.decode(components), moved.components(), tree);
            assertEquals(Outcome.DONE, moved.outcome());
        }
    }

    /// Without XSAVES, or with CR4.OSXSAVE off, it is #UD, which exits on both vendors.
    @ParameterizedTest
    @CsvSource({
        "Broadwell, '', EXCEPTION_NMI",
        "SapphireRapids, '- mov-cr: {cr: 4, value: 0x6a0}', EXCEPTION_NMI",
        "EPYC-Milan, '- mov-cr: {cr: 4, value: 0x6a0}', UD excp"
    })
    void isUndefinedWithout(String cpu, String before, String reason) {
        Recording recording =
                VcpuScenario.on(cpu)
                        .run((before.isEmpty() ? "" : before + "\n") + "- xsaves: {mask: 7}\n");
        assertEquals(Outcome.UD, last(recording));
        assertEquals(reason, recording.exitReasons().getLast());
    }

    /// XRSTORS gives back what XSAVES saved, 0 for what it did not save, and leaves what is not asked for.
    @Test
    void restoresWhatWasSaved() {
        Recording recording =
                VcpuScenario.on(SPR)
                        .under("kvm-7.1")
                        .run(
                                """
                                - wrmsr: {msr: IA32_U_CET, value: 1}
                                - wrmsr: {msr: IA32_PL0_SSP, value: 0x1000}
                                - xsaves: {mask: 0x800}
                                - wrmsr: {msr: IA32_U_CET, value: 2}
                                - xrstors: {mask: 0x1800}
                                - rdmsr: IA32_U_CET
                                - rdmsr: IA32_PL0_SSP
                                """);
        assertEquals(0, recording.exits());
        List<ExtendedStateMoved> moved = recording.all(ExtendedStateMoved.class);
        assertEquals(
                MsrValues.of(new int[] {Msrs.U_CET, Msrs.PL3_SSP}, new long[] {1, 0}),
                moved.get(0).values());
        assertEquals(0x1800, moved.get(1).components());
        assertEquals(1, recording.vcpu().msr(Msrs.U_CET));
        assertEquals(0, recording.vcpu().msr(Msrs.PL0_SSP));
        assertEquals(0, recording.machine().pcpu(0).msr(Msrs.PL0_SSP));
    }

    /// An area that XSAVES did not write, or with a component that is disabled since, is not taken.
    @ParameterizedTest
    @CsvSource({
        "'- xrstors: {mask: 7}', GP",
        "'- xsaves: {mask: -1}\n- xrstors: {mask: 1}', DONE",
        "'- xsaves: {mask: -1}\n- wrmsr: {msr: IA32_XSS, value: 0}\n- xrstors: {mask: 1}', GP",
        "'- xsaves: {mask: 7}\n- wrmsr: {msr: IA32_XSS, value: 0}\n- xrstors: {mask: 1}', DONE"
    })
    void refusesAreas(String program, String outcome) {
        for (String cpu : List.of(SPR, "EPYC-Genoa")) {
            Recording recording = VcpuScenario.on(cpu).under("kvm-7.1").run(program + "\n");
            assertEquals(outcome, last(recording).name(), cpu);
        }
    }

    /// CPUID 0xD.1: XSAVES; 576 + 256 (AVX) + 64 + 512 + 1024 (AVX-512) + 16 + 24 (CET) bytes; bits 11 and 12.
    /// Without the last two as soon as IA32_XSS is 0.
    @Test
    void cpuidTellsSizeAndBits() {
        Recording recording =
                VcpuScenario.on(SPR)
                        .under("kvm-7.1")
                        .run(
                                """
                                - cpuid: {leaf: 0xd, subleaf: 1}
                                - wrmsr: {msr: IA32_XSS, value: 0}
                                - cpuid: {leaf: 0xd, subleaf: 1}
                                - cpuid: {leaf: 0xd, subleaf: 12}
                                """);
        List<CpuidExecuted> cpuid = recording.all(CpuidExecuted.class);
        assertEquals(8, cpuid.get(0).eax() & 8);
        assertEquals(2472, cpuid.get(0).ebx());
        assertEquals(0x1800, cpuid.get(0).ecx());
        assertEquals(2432, cpuid.get(1).ebx());
        assertEquals(24, cpuid.get(2).eax());
    }
}

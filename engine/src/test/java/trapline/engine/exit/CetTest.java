package trapline.engine.exit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import trapline.engine.Recording;
import trapline.engine.Trees;
import trapline.engine.VcpuScenario;
import trapline.engine.event.GuestEvent.MsrReadBack;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.Outcome;
import trapline.engine.table.Msrs;
import trapline.engine.text.InputException;

/// CET and its MSRs, and the variants of what IA32_XSS takes: FACTS 4.5 and 4.6.
class CetTest {

    private static final String SPR = "SapphireRapids";

    private static String write(String msr, String value) {
        return "- wrmsr: {msr: %s, value: %s}\n".formatted(msr, value);
    }

    /// Bits 9:6 and 13:12 are reserved, 1:0 are SHSTK's, the others IBT's, SUPPRESS and WAIT_ENDBR exclude one another;
    /// pointers are canonical and, but for INT_SSP_TAB, 4-byte aligned. Trees up to 6.12 know none of them. Whether it
    /// exits or not.
    @ParameterizedTest
    @CsvSource({
        "SapphireRapids, {}, IA32_U_CET, 0x3f, DONE",
        "SapphireRapids, {}, IA32_U_CET, 0x40, GP",
        "SapphireRapids, {}, IA32_S_CET, 0x1000, GP",
        "SapphireRapids, {}, IA32_S_CET, 0x4000, DONE",
        "SapphireRapids, {}, IA32_S_CET, 0xc00, GP",
        "SapphireRapids, {}, IA32_S_CET, 0x400, DONE",
        "SapphireRapids, {}, IA32_PL0_SSP, 0x1004, DONE",
        "SapphireRapids, {}, IA32_PL0_SSP, 0x1002, GP",
        "SapphireRapids, {}, IA32_PL3_SSP, 0x800000000000, GP",
        "SapphireRapids, {}, IA32_INT_SSP_TAB, 0x1001, DONE",
        "SapphireRapids, {}, IA32_INT_SSP_TAB, 0x800000000000, GP",
        "SapphireRapids, {shstk: false}, IA32_PL0_SSP, 0x1000, GP",
        "SapphireRapids, {shstk: false}, IA32_INT_SSP_TAB, 0x1000, GP",
        "SapphireRapids, {shstk: false}, IA32_U_CET, 0x4, DONE",
        "SapphireRapids, '{shstk: false, ibt: false}', IA32_U_CET, 0x0, GP",
        "EPYC-Genoa, {}, IA32_U_CET, 0x3, DONE",
        "EPYC-Genoa, {}, IA32_U_CET, 0x4, GP",
        "EPYC-Genoa, {}, IA32_INT_SSP_TAB, 0x1000, DONE",
        "EPYC-Rome, {}, IA32_U_CET, 0x0, GP"
    })
    void takesWhatIsValid(String cpu, String guestCpu, String msr, String value, String outcome) {
        VcpuScenario scenario = VcpuScenario.on(cpu).guestCpu(guestCpu);
        for (String tree : Trees.of("6.18+")) {
            Recording recording = scenario.under(tree).run(write(msr, value));
            assertEquals(outcome, recording.outcomes().getLast().name(), tree);
        }
        for (String tree : Trees.of("5.4-6.12")) {
            Recording recording = scenario.under(tree).run(write(msr, value));
            assertEquals(Outcome.GP, recording.outcomes().getLast(), tree);
        }
    }

    /// Six are passed through; INT_SSP_TAB exits both times. On VMX it and S_CET are VMCS fields, on SVM VMCB fields.
    @ParameterizedTest
    @CsvSource({
        "SapphireRapids, GUEST_S_CET, GUEST_INTR_SSP_TABLE",
        "EPYC-Genoa, s_cet, isst_addr"
    })
    void keepsKernelStateInTheStructure(String cpu, String control, String table) {
        Recording recording =
                VcpuScenario.on(cpu)
                        .under("kvm-7.1")
                        .run(
                                write("IA32_S_CET", "1")
                                        + write("IA32_U_CET", "2")
                                        + write("IA32_INT_SSP_TAB", "0x1000")
                                        + "- rdmsr: IA32_INT_SSP_TAB\n- rdmsr: IA32_S_CET\n");
        assertEquals(2, recording.exits());
        assertEquals(1, recording.field(1, control));
        assertEquals(0x1000, recording.field(1, table));
        assertEquals(0, recording.machine().pcpu(0).msr(Msrs.S_CET) & 1);
        assertEquals(1, recording.all(MsrReadBack.class).getLast().value());
    }

    /// What is not in the structure travels with FPU state: 2 values are the guest's. The exit to userspace reads
    /// both and puts the host's 0 back, the way in loads both; CPUID between moves nothing.
    @ParameterizedTest
    @CsvSource({"SapphireRapids", "EPYC-Genoa"})
    void loadsAndPutsOncePerRun(String cpu) {
        for (String tree : Trees.of("6.18+")) {
            Recording recording =
                    VcpuScenario.on(cpu)
                            .under(tree)
                            .run(
                                    write("IA32_U_CET", "1")
                                            + write("IA32_PL3_SSP", "0x1000")
                                            + "- cpuid: {leaf: 1}\n- out: {port: 0x3f8, value: 1}\n"
                                            + "- cpuid: {leaf: 1}\n- rdmsr: IA32_PL3_SSP\n");
            for (int msr : List.of(Msrs.U_CET, Msrs.PL3_SSP)) {
                assertEquals(1, recording.hostReads(msr, HostCause.FPU_PUT), tree);
                assertEquals(1, recording.hostWrites(msr, HostCause.FPU_PUT), tree);
                assertEquals(1, recording.hostWrites(msr, HostCause.FPU_LOAD), tree);
            }
            assertEquals(0x1000, recording.all(MsrReadBack.class).getLast().value());
        }
    }

    /// Two vCPUs on one pCPU keep their values: at every turn the other's are put, then the own loaded.
    @Test
    void keepsValuesApart() {
        String program =
                "- preempt: {pcpu: 0}\n"
                        + write("IA32_U_CET", "%d")
                        + "- run: 1\n- rdmsr: IA32_U_CET\n";
        Recording recording =
                VcpuScenario.on(SPR)
                        .under("kvm-7.1")
                        .runEach(program.formatted(1), program.formatted(2));
        assertEquals(
                List.of(1L, 2L),
                recording.all(MsrReadBack.class).stream().map(MsrReadBack::value).toList());
    }

    /// Intercepted, it is read and written in the hardware, where the guest's value is while the vCPU is loaded.
    @Test
    void handlerUsesTheHardware() {
        Recording recording =
                VcpuScenario.on(SPR)
                        .file("policy: mine\nextends: kvm-6.18\nintercept: [IA32_FLUSH_CMD]\n")
                        .guestCpu("{shstk: false}")
                        .run("- host-write: {msr: IA32_U_CET, value: 4}\n- rdmsr: IA32_U_CET\n");
        assertEquals(1, recording.hostWrites(Msrs.U_CET, HostCause.GUEST_WRITE));
        assertEquals(4, recording.all(MsrReadBack.class).getLast().value());
    }

    /// CR4.CET wants CR0.WP, and keeps it.
    @Test
    void controlRegistersGoTogether() {
        String withoutWp = "- mov-cr: {cr: 0, value: 0x80040033}\n";
        String cet = "- mov-cr: {cr: 4, value: 0x8406a0}\n";
        for (String cpu : List.of(SPR, "EPYC-Genoa")) {
            VcpuScenario scenario = VcpuScenario.on(cpu).under("kvm-7.1");
            assertEquals(
                    List.of(Outcome.DONE, Outcome.GP), scenario.run(withoutWp + cet).outcomes());
            assertEquals(
                    List.of(Outcome.DONE, Outcome.GP), scenario.run(cet + withoutWp).outcomes());
        }
        assertEquals(
                Outcome.GP, VcpuScenario.on(SPR).under("kvm-6.12").run(cet).outcomes().getLast());
    }

    private static final String SWITCH =
            "- xsaves: {mask: 0x1ce7}\n- xrstors: {mask: 0x1ce7}\n- rdmsr: IA32_U_CET\n";

    /// One context switch of the guest, behind a write of IA32_XSS (CET_U, CET_S, PASID) that exits.
    /// zero: the write fails; nothing else exits, and XSAVES moves no MSR. cet-fpu: the same but that XSAVES moves
    /// the 5 MSRs of CET. xss-exiting: the write is taken; XSAVES and XRSTORS exit, and each is 5 MSR accesses of the
    /// hypervisor to CET state that is in the hardware; PASID is nowhere but in software.
    @ParameterizedTest
    @CsvSource({
        "'kvm-6.18,xss=zero', GP, 1, 0, 0",
        "'kvm-6.18,xss=cet-fpu', GP, 1, 5, 0",
        "'kvm-6.18,xss=xss-exiting', DONE, 3, 6, 10"
    })
    void variantsDiffer(String policy, String outcome, long exits, int values, long accesses) {
        Recording recording =
                VcpuScenario.on(SPR).under(policy).run(write("IA32_XSS", "0x1c00") + SWITCH);
        assertEquals(outcome, recording.outcomes().getFirst().name());
        assertEquals(exits, recording.exits());
        assertEquals(
                values,
                recording
                        .all(trapline.engine.event.GuestEvent.ExtendedStateMoved.class)
                        .getLast()
                        .values()
                        .size());
        long handled = 0;
        for (int msr = Msrs.U_CET; msr <= Msrs.PL3_SSP; msr++) {
            handled += recording.hostReads(msr, HostCause.GUEST_READ);
            handled += recording.hostWrites(msr, HostCause.GUEST_WRITE);
        }
        assertEquals(accesses, handled);
        assertEquals(0, recording.count(HostMsrWritten.class, e -> e.msr() == Msrs.PASID));
        assertEquals(0x8000_0005L, recording.machine().pcpu(0).msr(Msrs.PASID));
    }

    /// The exits are 63 and 64; a mask without PASID does not exit.
    @Test
    void exitsForWhatIsAskedAlone() {
        Recording recording =
                VcpuScenario.on(SPR)
                        .under("kvm-6.18,xss=xss-exiting")
                        .run(
                                write("IA32_XSS", "0x1c00")
                                        + "- xsaves: {mask: 0x1800}\n- xsaves: {mask: 0x400}\n- xrstors: {mask: 0x400}\n");
        assertEquals(List.of("MSR_WRITE", "XSAVES", "XRSTORS"), recording.exitReasons());
        assertEquals(0x1_c500, recording.field(1, "XSS_EXIT_BITMAP"));
    }

    /// L1's own bitmap gives the exit to L1.
    @Test
    void reflectsToL1() {
        Recording recording =
                VcpuScenario.on(SPR)
                        .under("kvm-6.18")
                        .run(
                                """
                                - nested:
                                    fields: {CPU_BASED_VM_EXEC_CONTROL: 0x94006172, SECONDARY_VM_EXEC_CONTROL: 0x100000, XSS_EXIT_BITMAP: 0x800}
                                    do: [{xsaves: {mask: 0x1000}}, {xsaves: {mask: 0x800}}]
                                """);
        assertEquals(List.of("XSAVES", "VMCALL"), recording.exitReasons(2));
        assertEquals(0x800, recording.field(2, "XSS_EXIT_BITMAP"));
    }

    @ParameterizedTest
    @CsvSource({
        "EPYC-Genoa, 'kvm-7.1,xss=xss-exiting', 'xss=xss-exiting cannot apply to EPYC-Genoa: it is for Intel VMX only'",
        "Broadwell, 'kvm-7.1,xss=xss-exiting', 'xss=xss-exiting cannot apply to Broadwell: the platform has no XSAVES'",
        "Icelake-Server, 'kvm-6.1,xss=cet-fpu', 'xss=cet-fpu cannot apply to Icelake-Server: the platform has no SHSTK'",
        "EPYC-Rome, 'kvm-6.1,xss=cet-fpu', 'xss=cet-fpu cannot apply to EPYC-Rome: the platform has no SHSTK'"
    })
    void refusesVariantsThatCannotBe(String cpu, String policy, String message) {
        VcpuScenario scenario = VcpuScenario.on(cpu).under(policy);
        assertEquals(
                message,
                assertThrows(InputException.class, () -> scenario.run("- run: 1\n")).getMessage());
    }
}

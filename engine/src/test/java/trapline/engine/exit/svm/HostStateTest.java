package trapline.engine.exit.svm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import trapline.engine.Recording;
import trapline.engine.VcpuScenario;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent.MsrReadBack;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.HostInstruction;
import trapline.engine.event.HypervisorEvent.HostMsrRead;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.HypervisorEvent.HostRegistersLoaded;
import trapline.engine.event.HypervisorEvent.HostStateLoaded;
import trapline.engine.event.HypervisorEvent.HostStateSaved;
import trapline.engine.event.HypervisorEvent.SaveArea;
import trapline.engine.event.HypervisorEvent.VcpuLoaded;
import trapline.engine.event.HypervisorEvent.VcpuPut;
import trapline.engine.event.Reg;
import trapline.engine.exit.HostValues;
import trapline.engine.policy.Policies;
import trapline.engine.state.MachineState;
import trapline.engine.state.PcpuState;
import trapline.engine.state.Sections;
import trapline.engine.table.Msrs;
import trapline.engine.text.InputException;

/// The variants of host-state, FACTS 5.2 to 5.5: their steps in order, what they count, what each leaves in the hardware.
class HostStateTest {

    private static final String ROUND =
            """
            - run: 1
            - cpuid: {leaf: 1}
            - preempt: {pcpu: 0}
            """;

    private static VcpuScenario under(String policy) {
        return VcpuScenario.on("EPYC-Milan").under(policy);
    }

    /// The round loads twice, enters three times, exits twice and puts once. L, E, X, P below.
    ///
    /// - rdmsr-list: L 11 RDMSR and the guest's TSC_AUX; E VMLOAD; X VMSAVE, GS_BASE, LTR; P LLDT, FS, KERNEL_GS_BASE, GS and the
    ///   list of 10. RDMSR 2·11; WRMSR 2·1 + 2·1 + 11.
    /// - patch-v1: L RDMSR and WRMSR of TSC_AUX, VMSAVE; X as before; P VMLOAD, TSC_AUX. WRMSR 2 + 2 + 1; VMLOAD 3 + 1; VMSAVE 2 + 2.
    /// - option1: VMSAVE before the first entry after L; X VMSAVE and VMLOAD. VMLOAD 3 + 2; VMSAVE 2 + 2; both sides' TSC_AUX is 0.
    /// - option1-at-load: TSC_AUX as in patch-v1, but for X no GS_BASE.
    /// - option2: L VMSAVE; X VMSAVE, WRGSBASE; P VMLOAD. VMLOAD 3 + 1.
    @ParameterizedTest
    @CsvSource({
        "rdmsr-list,      22, 15, 3, 2, 0, 2, 1",
        "patch-v1,         2,  5, 4, 4, 0, 2, 0",
        "option1,          0,  0, 5, 4, 0, 0, 0",
        "option1-at-load,  2,  3, 5, 4, 0, 2, 0",
        "option2,          0,  0, 4, 4, 2, 0, 0"
    })
    void counts(
            String variant,
            int reads,
            int writes,
            int vmloads,
            int vmsaves,
            int wrgsbase,
            int reloads,
            int segments) {
        for (String tree : Policies.bases()) {
            Recording recording = under(tree + ",host-state=" + variant).run(ROUND);
            assertEquals(2, recording.all(VcpuLoaded.class).size());
            assertEquals(3, recording.entries());
            assertEquals(2, recording.exits());
            assertEquals(1, recording.all(VcpuPut.class).size());
            assertEquals(reads, recording.all(HostMsrRead.class).size(), tree);
            assertEquals(
                    writes,
                    recording.count(HostMsrWritten.class, e -> e.cause() != HostCause.IBPB),
                    tree);
            assertEquals(vmloads, recording.all(HostStateLoaded.class).size(), tree);
            assertEquals(vmsaves, recording.all(HostStateSaved.class).size(), tree);
            assertEquals(wrgsbase, loads(recording, HostInstruction.WRGSBASE), tree);
            assertEquals(reloads, loads(recording, HostInstruction.LTR), tree);
            assertEquals(segments, loads(recording, HostInstruction.LLDT), tree);
            assertEquals(segments, loads(recording, HostInstruction.MOV_FS), tree);
            assertEquals(segments, loads(recording, HostInstruction.MOV_GS), tree);
        }
    }

    private static long loads(Recording recording, HostInstruction instruction) {
        return recording.count(HostRegistersLoaded.class, e -> e.instruction() == instruction);
    }

    /// What moves host state in the events of an op, in order.
    private static String steps(List<Event> events) {
        List<String> steps = new ArrayList<>();
        for (Event event : events) {
            switch (event) {
                case HostMsrRead e -> steps.add("r:" + Msrs.name(e.msr()));
                case HostMsrWritten e -> steps.add("w:" + Msrs.name(e.msr()));
                case HostStateSaved e -> steps.add("vmsave:" + e.area());
                case HostStateLoaded e -> steps.add("vmload:" + e.area());
                case HostRegistersLoaded e -> steps.add(e.instruction().toString());
                case VmEntered _ -> steps.add("enter");
                case VmExited _ -> steps.add("exit");
                case VcpuLoaded _ -> steps.add("load");
                case VcpuPut _ -> steps.add("put");
                default -> {}
            }
        }
        return String.join(" ", steps);
    }

    /// One exit, put and load, where software switches SPEC_CTRL, whose guest has 1 (host 0) and passes it through. FACTS 5.2: GS_BASE,
    /// RDMSR of SPEC_CTRL, TR, SPEC_CTRL; FACTS 5.4: VMLOAD right after VMSAVE; FACTS 5.5: WRGSBASE there.
    @ParameterizedTest
    @CsvSource({
        "kvm-5.4,                              'vmsave:VMCB01 w:GS_BASE SC LTR SCR LLDT MOV_FS w:KERNEL_GS_BASE MOV_GS LIST put load r:GS_BASE READ w:TSC_AUX SCG'",
        "'kvm-5.15,host-state=rdmsr-list',     'vmsave:VMCB01 w:GS_BASE SC LTR SCR LLDT MOV_FS w:KERNEL_GS_BASE MOV_GS LIST put load r:GS_BASE READ w:TSC_AUX SCG'",
        "'kvm-7.1,host-state=rdmsr-list',      'vmsave:VMCB01 w:GS_BASE SC LTR SCR LLDT MOV_FS w:KERNEL_GS_BASE MOV_GS LIST put load r:GS_BASE READ w:TSC_AUX SCG'",
        "'kvm-5.4,host-state=patch-v1',        'vmsave:VMCB01 w:GS_BASE SC LTR SCR vmload:HOST w:TSC_AUX put load r:TSC_AUX vmsave:HOST w:TSC_AUX SCG'",
        "'kvm-5.4,host-state=option1-at-load', 'vmsave:VMCB01 vmload:HOST SC LTR SCR w:TSC_AUX put load r:TSC_AUX vmsave:HOST w:TSC_AUX SCG'",
        "kvm-5.15,                             'vmsave:VMCB01 vmload:HOST SC LTR SCR put load vmsave:HOST SCG'",
        "'kvm-5.4,host-state=option1',         'vmsave:VMCB01 vmload:HOST SC SCR put load vmsave:HOST SCG'",
        "kvm-7.1,                              'vmsave:VMCB01 vmload:HOST SC SCR put load vmsave:HOST SCG'",
        "'kvm-5.4,host-state=option2',         'vmsave:VMCB01 WRGSBASE SC SCR vmload:HOST put load vmsave:HOST SCG'",
        "'kvm-7.1,host-state=option2',         'vmsave:VMCB01 WRGSBASE SC SCR vmload:HOST put load vmsave:HOST SCG'"
    })
    void order(String policy, String expected) {
        String list =
                "STAR LSTAR CSTAR SYSCALL_MASK KERNEL_GS_BASE FS_BASE IA32_SYSENTER_CS IA32_SYSENTER_ESP IA32_SYSENTER_EIP"
                        + " TSC_AUX";
        String full =
                expected.replace("LIST", "w:" + list.replace(" ", " w:"))
                        .replace("READ", "r:" + list.replace(" ", " r:"))
                        .replace("SCG", "w:IA32_SPEC_CTRL")
                        .replace("SCR", "w:IA32_SPEC_CTRL")
                        .replace("SC ", "r:IA32_SPEC_CTRL ");
        Recording recording =
                VcpuScenario.on("EPYC-Rome,v-spec-ctrl=false")
                        .under(policy)
                        .run("- wrmsr: {msr: 0x48, value: 1}\n- run: 1\n- preempt: {pcpu: 0}\n");
        assertEquals("exit " + full + " vmload:VMCB01 enter", steps(recording.ofOp(0, 2)));
    }

    /// FACTS 5.5: WRMSR where there is no FSGSBASE.
    @Test
    void wrmsrWithoutFsgsbase() {
        Recording recording =
                VcpuScenario.on("EPYC-Milan,fsgsbase=false")
                        .under("kvm-6.1,host-state=option2")
                        .run(ROUND);
        assertEquals(0, loads(recording, HostInstruction.WRGSBASE));
        assertEquals(2, recording.hostWrites(Msrs.GS_BASE, HostCause.EXIT_RESTORE));
    }

    private static final String VALUES =
            """
            - wrmsr: {msr: GS_BASE, value: 0x5000}
            - wrmsr: {msr: LSTAR, value: 0x6000}
            - wrmsr: {msr: KERNEL_GS_BASE, value: 0x7000}
            - wrmsr: {msr: IA32_SYSENTER_CS, value: 0x8}
            - cpuid: {leaf: 1}
            - preempt: {pcpu: 0}
            """;

    /// GS_BASE, LSTAR, KERNEL_GS_BASE, SYSENTER_CS and TR's base of pCPU 0: h the host's, g the guest's.
    private static String held(MachineState machine) {
        PcpuState pcpu = machine.pcpu(0);
        return (pcpu.msr(Msrs.GS_BASE) == HostValues.gsBase(0) ? "h" : "g")
                + (pcpu.msr(Msrs.LSTAR) == HostValues.LSTAR ? "h" : "g")
                + (pcpu.msr(Msrs.KERNEL_GS_BASE) == HostValues.USER_GS_BASE ? "h" : "g")
                + (pcpu.msr(Msrs.SYSENTER_CS) == 0x10 ? "h" : "g")
                + (pcpu.register(Reg.TR_BASE) == HostValues.trBase(0) ? "h" : "g");
    }

    /// What the hardware holds after each event from the first exit, until that changes no more; guest values are set by then.
    ///
    /// FACTS 5.1: after #VMEXIT all is the guest's until VMLOAD. Put begins behind the last `|`.
    @ParameterizedTest
    @CsvSource({
        "kvm-7.1, 'ggggg hhhhh ggggg hhhhh ggggg'",
        "'kvm-7.1,host-state=option1-at-load', 'ggggg hhhhh ggggg hhhhh ggggg'",
        "'kvm-7.1,host-state=option2', 'ggggg hgggg ggggg hgggg hhhhh ggggg'",
        "'kvm-7.1,host-state=patch-v1', 'ggggg hgggg hgggh ggggg hgggg hgggh hhhhh ggggg'",
        "kvm-5.4, 'ggggg hgggg hgggh ggggg hgggg hgggh hghgh hhhgh hhhhh ggggg'"
    })
    void hardwareHoldsExactly(String policy, String expected) {
        Recording recording = under(policy).run(VALUES);
        MachineState machine = new MachineState(recording.machines().config());
        List<String> seen = new ArrayList<>();
        for (Envelope envelope : recording.envelopes()) {
            machine.apply(envelope);
            String now = held(machine);
            if (envelope.stamp().op() >= 5 && (seen.isEmpty() || !seen.getLast().equals(now))) {
                seen.add(now);
            }
        }
        assertEquals(expected, String.join(" ", seen));
    }

    /// From a checkpoint at any event, the same state, and the same end.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "kvm-5.4",
                "kvm-7.1",
                "kvm-7.1,host-state=patch-v1",
                "kvm-7.1,host-state=option2",
                "broken"
            })
    void isRestoredAtEachEvent(String policy) {
        VcpuScenario scenario =
                policy.equals("broken")
                        ? VcpuScenario.on("EPYC-Milan")
                                .file(
                                        """
                                        extends: kvm-5.4
                                        phases: {svm: {after-exit: {remove: [gs-base-restore]}, put: {remove: [host-msrs-write]}}}
                                        """)
                        : under(policy);
        Recording recording = scenario.run(VALUES + VALUES);
        MachineState live = new MachineState(recording.machines().config());
        List<Envelope> events = recording.envelopes();
        for (int i = 0; i < events.size(); i++) {
            live.apply(events.get(i));
            MachineState restored = Sections.restore(live.config(), Sections.of(live));
            for (Reg register : live.pcpu(0).vmloadRegisters()) {
                assertEquals(live.pcpu(0).register(register), restored.pcpu(0).register(register));
                assertEquals(
                        live.pcpu(0).savedRegister(register),
                        restored.pcpu(0).savedRegister(register));
            }
            assertEquals(live.pcpu(0).copy(Msrs.GS_BASE), restored.pcpu(0).copy(Msrs.GS_BASE));
            MachineState copy = live.copy();
            for (Envelope later : events.subList(i + 1, events.size())) {
                restored.apply(later);
                copy.apply(later);
            }
            Recording.assertSame(Sections.of(recording.machine()), Sections.of(restored));
            Recording.assertSame(Sections.of(recording.machine()), Sections.of(copy));
        }
    }

    /// An intercepted write changes the VMCB; what the hardware holds of the guest's is the old value, until the next VMLOAD.
    @Test
    void storedIsNotLoaded() {
        Recording recording =
                under("kvm-7.1,host-state=option2,pass-through=-LSTAR")
                        .run("- run: 1\n- wrmsr: {msr: LSTAR, value: 0x6000}\n- run: 1\n");
        MachineState machine = new MachineState(recording.machines().config());
        int checked = 0;
        for (Envelope envelope : recording.envelopes()) {
            machine.apply(envelope);
            if (envelope.event() instanceof MsrWritten) {
                assertEquals(0x6000, machine.vcpu(0).msr(Msrs.LSTAR));
                assertEquals(0, machine.pcpu(0).msr(Msrs.LSTAR));
                checked++;
            }
        }
        assertEquals(1, checked);
        assertEquals(0x6000, machine.pcpu(0).msr(Msrs.LSTAR));
    }

    /// What a policy leaves out, its guest finds out: it runs with whatever the hardware holds.
    @Test
    void guestRunsWithWhatIsThere() {
        String text =
                """
                extends: kvm-7.1
                phases: {svm: {before-entry: {remove: [vmload-guest]}}}
                """;
        Recording recording =
                VcpuScenario.on("EPYC-Milan")
                        .file(text)
                        .run(
                                "- wrmsr: {msr: GS_BASE, value: 0x5000}\n- rdmsr: GS_BASE\n- cpuid: {leaf: 1}\n- rdmsr: GS_BASE\n");
        assertEquals(
                List.of(0x5000L, HostValues.gsBase(0)),
                recording.all(MsrReadBack.class).stream().map(MsrReadBack::value).toList());
    }

    /// VMSAVE stores what the hardware holds, be it the host's.
    @Test
    void vmsaveBehindVmloadSavesTheHost() {
        String text =
                """
                extends: kvm-7.1
                phases: {svm: {after-exit: {remove: [vmload-host], before: {vmsave-guest: [vmload-host]}}}}
                """;
        Recording recording =
                VcpuScenario.on("EPYC-Milan")
                        .file(text)
                        .run(
                                "- wrmsr: {msr: GS_BASE, value: 0x5000}\n- cpuid: {leaf: 1}\n- rdmsr: GS_BASE\n");
        assertEquals(HostValues.gsBase(0), recording.only(MsrReadBack.class).value());
    }

    /// A list that is not restored is read as the host's at the next load, and then restored as such.
    @Test
    void copiesAreWhatWasRead() {
        String text =
                """
                extends: kvm-5.4
                phases: {svm: {after-exit: {remove: [gs-base-restore]}}}
                """;
        Recording recording = VcpuScenario.on("EPYC-Milan").file(text).run(VALUES + VALUES);
        assertTrue(
                recording.count(
                                HostMsrRead.class,
                                e -> e.msr() == Msrs.GS_BASE && e.value() == 0x5000)
                        > 0);
        assertNotEquals(HostValues.gsBase(0), recording.machine().pcpu(0).copy(Msrs.GS_BASE));
    }

    /// FACTS 5.6: vmcb01 holds what VMLOAD and VMSAVE move, whoever runs: exits of L2 save into it and L2's entries load from it.
    @ParameterizedTest
    @ValueSource(strings = {"rdmsr-list", "patch-v1", "option1", "option2"})
    void vmcb01AlsoForL2(String variant) {
        Recording recording =
                under("kvm-7.1,host-state=" + variant)
                        .run(
                                """
                                - wrmsr: {msr: KERNEL_GS_BASE, value: 0x7000}
                                - nested: {do: [ {wrmsr: {msr: KERNEL_GS_BASE, value: 0x9000}}, {in: {port: 0x80, size: 1}}, {rdmsr: KERNEL_GS_BASE} ]}
                                - rdmsr: KERNEL_GS_BASE
                                """);
        assertEquals(
                List.of(0x9000L, 0x9000L),
                recording.all(MsrReadBack.class, e -> e.msr() == Msrs.KERNEL_GS_BASE).stream()
                        .map(MsrReadBack::value)
                        .toList());
        assertEquals(0x9000, recording.field(1, "kernel_gs_base"));
        assertEquals(0, recording.field(2, "kernel_gs_base"));
        long saves = recording.count(HostStateSaved.class, e -> e.area() == SaveArea.VMCB01);
        assertEquals(recording.exits(), saves);
    }

    @Test
    void isForAmdAlone() {
        InputException refused =
                assertThrows(
                        InputException.class,
                        () ->
                                VcpuScenario.on("Icelake-Server")
                                        .under("kvm-6.1,host-state=option2")
                                        .run(ROUND));
        assertEquals(
                "host-state=option2 cannot apply to Icelake-Server: it is for AMD SVM only",
                refused.getMessage());
    }
}

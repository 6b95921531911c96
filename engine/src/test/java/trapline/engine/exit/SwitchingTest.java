package trapline.engine.exit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import trapline.engine.Recording;
import trapline.engine.Trees;
import trapline.engine.VcpuScenario;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent.MsrReadBack;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.HostMsrRead;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.HypervisorEvent.HostStateLoaded;
import trapline.engine.event.HypervisorEvent.HostStateSaved;
import trapline.engine.event.HypervisorEvent.UserspaceExited;
import trapline.engine.event.HypervisorEvent.VcpuLoaded;
import trapline.engine.event.HypervisorEvent.VcpuPut;
import trapline.engine.event.InputEvent.HostPreempted;
import trapline.engine.event.Kvm;
import trapline.engine.state.MachineState;
import trapline.engine.table.Msrs;

/// Loading, putting and what is switched on the way: phases.md, FACTS 1.9 and 5.
class SwitchingTest {

    /// What touches MSRs or host state in some events, in order, one word each.
    private static List<String> steps(List<Event> events) {
        List<String> steps = new ArrayList<>();
        for (Event event : events) {
            String step =
                    switch (event) {
                        case HostMsrRead e -> "r:" + Msrs.name(e.msr());
                        case HostMsrWritten e -> "w:" + Msrs.name(e.msr());
                        case HostStateSaved e -> "vmsave:" + e.area();
                        case HostStateLoaded e -> "vmload:" + e.area();
                        case VmEntered _ -> "enter";
                        case VmExited _ -> "exit";
                        case VcpuLoaded e -> "load:" + e.pcpu();
                        case VcpuPut _ -> "put";
                        case UserspaceExited e -> "user:" + e.reason();
                        default -> "";
                    };
            if (!step.isEmpty()) {
                steps.add(step);
            }
        }
        return steps;
    }

    /// Both halves of a round trip through the scheduler: one op in the guest, then `preempt`.
    private static List<String> roundTrip(String cpu, String policy) {
        Recording recording =
                VcpuScenario.on(cpu)
                        .under(policy)
                        .run("- run: 1\n- preempt: {pcpu: 0}\n- run: 1\n");
        return steps(recording.ofOp(0, 1));
    }

    /// FACTS 5.2, 5.4: RDMSR of GS_BASE and of the list at load, with the guest's TSC_AUX; VMLOAD and VMSAVE of the guest around
    /// the run; GS_BASE by WRMSR right after; KERNEL_GS_BASE and the list back at put.
    @Test
    void svmHostStateByMsrs() {
        List<String> list =
                List.of(
                        "STAR",
                        "LSTAR",
                        "CSTAR",
                        "SYSCALL_MASK",
                        "KERNEL_GS_BASE",
                        "FS_BASE",
                        "IA32_SYSENTER_CS",
                        "IA32_SYSENTER_ESP",
                        "IA32_SYSENTER_EIP",
                        "TSC_AUX");
        List<String> load = new ArrayList<>(List.of("r:GS_BASE"));
        list.forEach(msr -> load.add("r:" + msr));
        load.add("w:TSC_AUX");
        List<String> put = new ArrayList<>(List.of("w:KERNEL_GS_BASE"));
        list.forEach(msr -> put.add("w:" + msr));
        put.add("put");
        List<String> expected = new ArrayList<>(List.of("load:0", "w:IA32_PRED_CMD"));
        expected.addAll(load);
        expected.addAll(List.of("vmload:VMCB01", "enter", "exit", "vmsave:VMCB01", "w:GS_BASE"));
        expected.addAll(put);
        expected.add("load:0");
        expected.addAll(load);
        expected.addAll(List.of("vmload:VMCB01", "enter"));
        assertEquals(expected, roundTrip("EPYC-Milan", "kvm-5.4"));
    }

    /// FACTS 5.4 and 5.6: VMSAVE of the host once per load, VMLOAD of it after each exit, nothing at put.
    @ParameterizedTest
    @ValueSource(strings = {"5.15", "6.1", "6.6", "6.12", "6.18", "7.1"})
    void svmHostStateByVmsave(String tree) {
        assertEquals(
                List.of(
                        "load:0",
                        "w:IA32_PRED_CMD",
                        "vmsave:HOST",
                        "vmload:VMCB01",
                        "enter",
                        "exit",
                        "vmsave:VMCB01",
                        "vmload:HOST",
                        "put",
                        "load:0",
                        "vmsave:HOST",
                        "vmload:VMCB01",
                        "enter"),
                roundTrip("EPYC-Milan", "kvm-" + tree));
    }

    /// An exit that stays in the kernel saves no host state again.
    @ParameterizedTest
    @CsvSource({
        "kvm-5.4, 'exit vmsave:VMCB01 w:GS_BASE vmload:VMCB01 enter'",
        "kvm-5.15, 'exit vmsave:VMCB01 vmload:HOST vmload:VMCB01 enter'",
        "kvm-7.1, 'exit vmsave:VMCB01 vmload:HOST vmload:VMCB01 enter'"
    })
    void svmExitInTheKernel(String policy, String expected) {
        Recording recording =
                VcpuScenario.on("EPYC-Milan").under(policy).run("- run: 1\n- cpuid: {leaf: 1}\n");
        assertEquals(List.of(expected.split(" ")), steps(recording.ofOp(0, 2)));
    }

    /// The order around a run where software switches SPEC_CTRL. h = 0, the guest has 1.
    ///
    /// VMX: guest's value last before entry; read and host's value first after exit. SVM: guest's value before VMLOAD of the
    /// guest; after exit VMSAVE, then the host's state (5.4: GS_BASE), then SPEC_CTRL.
    @ParameterizedTest
    @CsvSource({
        "Broadwell, all, 'exit r:IA32_SPEC_CTRL w:IA32_SPEC_CTRL w:IA32_SPEC_CTRL enter'",
        "'EPYC-Rome,v-spec-ctrl=false', 5.4, 'exit vmsave:VMCB01 w:GS_BASE r:IA32_SPEC_CTRL w:IA32_SPEC_CTRL w:IA32_SPEC_CTRL vmload:VMCB01 enter'",
        "'EPYC-Rome,v-spec-ctrl=false', 5.15+, 'exit vmsave:VMCB01 vmload:HOST r:IA32_SPEC_CTRL w:IA32_SPEC_CTRL w:IA32_SPEC_CTRL vmload:VMCB01 enter'"
    })
    void ordersSpecCtrl(String cpu, String trees, String expected) {
        for (String policy : Trees.of(trees)) {
            Recording recording =
                    VcpuScenario.on(cpu)
                            .under(policy)
                            .run("- wrmsr: {msr: 0x48, value: 1}\n- cpuid: {leaf: 1}\n");
            assertEquals(List.of(expected.split(" ")), steps(recording.ofOp(0, 2)), policy);
        }
    }

    /// VMX: the guest's user-return MSRs where they differ and KERNEL_GS_BASE once per load; KERNEL_GS_BASE is read and the
    /// host's written at put; user-return MSRs go back only before user mode.
    @Test
    void vmxRoundTrips() {
        Recording recording =
                VcpuScenario.on("Icelake-Server")
                        .run(
                                """
                                - wrmsr: {msr: STAR, value: 0x1000}
                                - wrmsr: {msr: KERNEL_GS_BASE, value: 0x2000}
                                - preempt: {pcpu: 0}
                                - in: {port: 0x3f8}
                                """);
        // At first the guest's STAR, LSTAR and SYSCALL_MASK are 0, the host's are not.
        assertEquals(
                List.of(
                        "load:0",
                        "w:IA32_PRED_CMD",
                        "w:STAR",
                        "w:LSTAR",
                        "w:SYSCALL_MASK",
                        "w:KERNEL_GS_BASE",
                        "w:IA32_SPEC_CTRL",
                        "enter",
                        "exit",
                        "w:IA32_SPEC_CTRL",
                        "w:STAR",
                        "w:IA32_SPEC_CTRL",
                        "enter"),
                steps(recording.ofOp(0, 1)));
        // Preempted: only KERNEL_GS_BASE moves.
        assertEquals(
                List.of(
                        "exit",
                        "w:IA32_SPEC_CTRL",
                        "r:KERNEL_GS_BASE",
                        "w:KERNEL_GS_BASE",
                        "put",
                        "load:0",
                        "w:KERNEL_GS_BASE",
                        "w:IA32_SPEC_CTRL",
                        "enter"),
                steps(recording.ofOp(0, 2)));
        // To userspace and back: all of them.
        assertEquals(
                List.of(
                        "exit",
                        "w:IA32_SPEC_CTRL",
                        "user:2",
                        "r:KERNEL_GS_BASE",
                        "w:KERNEL_GS_BASE",
                        "put",
                        "w:STAR",
                        "w:LSTAR",
                        "w:SYSCALL_MASK",
                        "load:0",
                        "w:STAR",
                        "w:LSTAR",
                        "w:SYSCALL_MASK",
                        "w:KERNEL_GS_BASE",
                        "w:IA32_SPEC_CTRL",
                        "enter"),
                steps(recording.ofOp(0, 3)));
        assertEquals(
                0x2000,
                recording
                        .all(HostMsrRead.class, e -> e.cause() == HostCause.PUT)
                        .getFirst()
                        .value());
        assertEquals(0x2000, recording.machine().pcpu(0).msr(Msrs.KERNEL_GS_BASE));
    }

    /// TSC_AUX on AMD: 5.4 writes it at load and put; since 5.15 it is a user-return MSR. The guest's own write takes effect at once.
    @ParameterizedTest
    @CsvSource({"5.4, 2, 0", "5.15+, 1, 2"})
    void tscAuxByTree(String trees, int loads, int userReturns) {
        for (String policy : Trees.of(trees)) {
            Recording recording =
                    VcpuScenario.on("EPYC-Milan")
                            .under(policy)
                            .run(
                                    """
                                    - wrmsr: {msr: TSC_AUX, value: 5}
                                    - in: {port: 0x3f8}
                                    """);
            List<Long> written =
                    recording.all(HostMsrWritten.class, e -> e.msr() == Msrs.TSC_AUX).stream()
                            .map(HostMsrWritten::value)
                            .toList();
            // 5.4: 0 at load, 5 by the guest, 0 at put, 5 at load. Later: 5 by the guest, 0 before
            // user mode, 5 after.
            assertEquals(
                    policy.equals("kvm-5.4") ? List.of(0L, 5L, 0L, 5L) : List.of(5L, 0L, 5L),
                    written,
                    policy);
            assertEquals(5, recording.machine().pcpu(0).msr(Msrs.TSC_AUX), policy);
        }
    }

    /// FACTS 1.9: IBPB when another vCPU is loaded on a pCPU than the last one. vCPU 1 moves to pCPU 0, and they take turns
    /// there: each op of one preempts the other.
    @ParameterizedTest
    @CsvSource({"Icelake-Server", "EPYC-Milan"})
    void barrierWhenAnotherVcpuIsLoaded(String cpu) {
        for (String policy : Trees.of("all")) {
            Recording recording =
                    VcpuScenario.on(cpu)
                            .under(policy)
                            .runEach(
                                    "- run: 1\n- run: 1\n- run: 1\n",
                                    "- preempt: {pcpu: 0}\n- run: 1\n- run: 1\n- run: 1\n");
            // Loads: vCPU 0, then 1, 0, 1, 0, 1, all on pCPU 0.
            List<VcpuLoaded> loads = recording.all(VcpuLoaded.class);
            assertEquals(6, loads.size(), policy);
            assertTrue(loads.stream().allMatch(load -> load.pcpu() == 0));
            assertEquals(6, recording.hostWrites(0x49, HostCause.IBPB), policy);
            assertEquals(
                    5,
                    recording
                            .all(HostPreempted.class, e -> e.pcpu() == HostPreempted.LATER)
                            .size());
        }
    }

    /// The same vCPU again: none.
    @ParameterizedTest
    @CsvSource({"Icelake-Server", "EPYC-Milan"})
    void noBarrierForTheSameVcpu(String cpu) {
        for (String policy : Trees.of("all")) {
            Recording recording =
                    VcpuScenario.on(cpu)
                            .under(policy)
                            .run(
                                    "- run: 1\n- preempt: {pcpu: 0}\n- in: {port: 0x3f8}\n- hlt\n- run: 1\n");
            assertEquals(4, recording.all(VcpuLoaded.class).size());
            assertEquals(1, recording.hostWrites(0x49, HostCause.IBPB), policy);
        }
    }

    /// Between L1 and L2 of one vCPU: the vendor code of SVM compares VMCBs, so a vCPU that was put in L1 and comes back in L2 (or
    /// the reverse) gets one; VMX and the common code of 6.18 do not.
    @ParameterizedTest
    @CsvSource({
        "Icelake-Server, all, 1",
        "'EPYC-Rome,ibrs-same-mode=true', 5.4-6.12, 2",
        "'EPYC-Rome,ibrs-same-mode=true', 6.18+, 1"
    })
    void barrierBetweenLevelsByTree(String cpu, String trees, int barriers) {
        for (String policy : Trees.of(trees)) {
            Recording recording =
                    VcpuScenario.on(cpu)
                            .under(policy)
                            .run("- nested: {do: [ {run: 1}, {preempt: {pcpu: 0}}, {run: 1} ]}\n");
            long nestedBarriers = cpu.startsWith("I") ? nestedBarriers(policy) : 0;
            assertEquals(
                    barriers + nestedBarriers, recording.hostWrites(0x49, HostCause.IBPB), policy);
        }
    }

    private static long nestedBarriers(String policy) {
        return Trees.of("6.1+").contains(policy) ? 1 : 0;
    }

    /// No IBPB where the host cannot do it.
    @Test
    void noBarrierWithoutIbpb() {
        Recording recording =
                VcpuScenario.on("Icelake-Server,spec-ctrl=false")
                        .run("- run: 1\n- preempt: {pcpu: 1}\n- run: 1\n");
        assertEquals(0, recording.hostWrites(0x49, HostCause.IBPB));
    }

    /// Preempted to another pCPU: put here, load there, and what is per pCPU follows.
    @Test
    void movesToAnotherPcpu() {
        Recording recording =
                VcpuScenario.on("Icelake-Server").run("- run: 1\n- preempt: {pcpu: 2}\n- run: 1\n");
        assertEquals(2, recording.vcpu().pcpu());
        assertEquals(HostValues.gsBase(2), recording.field(1, "HOST_GS_BASE"));
        List<Envelope> loads =
                recording.envelopes().stream()
                        .filter(e -> e.event() instanceof VcpuLoaded)
                        .toList();
        assertEquals(2, loads.getLast().stamp().pcpu());
        Envelope put =
                recording.envelopes().stream()
                        .filter(e -> e.event() instanceof VcpuPut)
                        .findFirst()
                        .orElseThrow();
        assertEquals(0, put.stamp().pcpu());
        // One for each pCPU that it was loaded on.
        assertEquals(2, recording.hostWrites(0x49, HostCause.IBPB));
    }

    /// The host's GS base of 5.4 is the one of the pCPU that it runs on.
    @Test
    void restoresGsBaseOfThePcpu() {
        Recording recording =
                VcpuScenario.on("EPYC-Milan")
                        .under("kvm-5.4")
                        .run("- cpuid: {leaf: 1}\n- preempt: {pcpu: 3}\n- cpuid: {leaf: 1}\n");
        assertEquals(
                List.of(HostValues.gsBase(0), HostValues.gsBase(0), HostValues.gsBase(3)),
                recording.all(HostMsrWritten.class, e -> e.msr() == Msrs.GS_BASE).stream()
                        .map(HostMsrWritten::value)
                        .toList());
    }

    /// `preempt: {}`: taken off, and back when the guest goes on.
    @Test
    void comesBackWhenItIsDue() {
        Recording recording =
                VcpuScenario.on("Icelake-Server").run("- run: 1\n- preempt: {}\n- run: 1\n");
        assertEquals(1, recording.all(VcpuPut.class).size());
        assertEquals(2, recording.all(VcpuLoaded.class).size());
        Recording twice =
                VcpuScenario.on("Icelake-Server")
                        .run(
                                "- run: 1\n- preempt: {}\n- preempt: {}\n- preempt: {pcpu: 1}\n- run: 1\n");
        assertEquals(1, twice.all(VcpuPut.class).size());
        assertEquals(1, twice.vcpu().pcpu());
    }

    /// Whoever is loaded for whatever reason has its pCPU to itself: userspace's write too.
    @Test
    void onePcpuRunsOneVcpu() {
        for (String cpu : List.of("Icelake-Server", "EPYC-Milan")) {
            Recording recording =
                    VcpuScenario.on(cpu)
                            .runEach(
                                    "- run: 1\n- run: 1\n- host-write: {msr: 0x48, value: 1}\n- run: 1\n",
                                    "- preempt: {pcpu: 0}\n- run: 1\n- run: 1\n- host-write: {msr: STAR, value: 1}\n- run: 1\n");
            MachineState machine = new MachineState(recording.machines().config());
            for (Envelope envelope : recording.envelopes()) {
                machine.apply(envelope);
                int loaded = 0;
                for (int vcpu = 0; vcpu < 2; vcpu++) {
                    boolean here = machine.vcpu(vcpu).pcpu() == 0;
                    loaded += here && machine.vcpu(vcpu).is(Kvm.LOADED) ? 1 : 0;
                }
                assertTrue(loaded <= 1, cpu + " " + envelope);
            }
        }
    }

    /// Guest values of one vCPU are not another's, whoever shares the pCPU.
    @ParameterizedTest
    @ValueSource(strings = {"KERNEL_GS_BASE", "STAR", "TSC_AUX", "FS_BASE", "IA32_SPEC_CTRL"})
    void keepsValuesApart(String msr) {
        for (String cpu : List.of("Icelake-Server", "EPYC-Milan", "EPYC-Rome,v-spec-ctrl=false")) {
            for (String policy : Trees.of("all")) {
                String program =
                        "- wrmsr: {msr: %1$s, value: %2$d}\n- run: 1\n- rdmsr: %1$s\n- run: 1\n- rdmsr: %1$s\n";
                Recording recording =
                        VcpuScenario.on(cpu)
                                .under(policy)
                                .runEach(
                                        program.formatted(msr, 1),
                                        "- preempt: {pcpu: 0}\n" + program.formatted(msr, 4));
                List<Long> values =
                        recording.all(MsrReadBack.class).stream().map(MsrReadBack::value).toList();
                boolean virtual = cpu.equals("EPYC-Milan") && policy.equals("kvm-5.4");
                if (!msr.equals("IA32_SPEC_CTRL") || !virtual) {
                    assertEquals(List.of(1L, 4L, 1L, 4L), values, cpu + " " + policy);
                }
            }
        }
    }
}

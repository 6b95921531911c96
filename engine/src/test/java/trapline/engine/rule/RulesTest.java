package trapline.engine.rule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import trapline.engine.VcpuScenario;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent.ExtendedStateMoved;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.Moment;
import trapline.engine.guest.Guest;
import trapline.engine.guest.Scenario;
import trapline.engine.policy.Policies;
import trapline.engine.sim.EventSink;
import trapline.engine.sim.Execution;
import trapline.engine.sim.ModelWorld;

/// Every rule is broken by something and kept by something.
class RulesTest {

    private static final String ROME = "EPYC-Rome,v-spec-ctrl=false";

    /// Passes an execution's events and moments on to its rules.
    private static final class Judges implements EventSink {

        private Rules rules;

        @Override
        public void accept(Envelope envelope) {
            rules.accept(envelope);
        }

        @Override
        public void at(Moment moment, int vcpu) {
            rules.at(moment, vcpu);
        }
    }

    private static List<Violation> judge(VcpuScenario scenario, String text) {
        Scenario file = Scenario.parse("scenario: test\n" + text, "test");
        Guest guest = file.on(scenario.platform().vendor(), Optional.empty());
        Judges judges = new Judges();
        Execution execution =
                scenario.machines(guest.vcpus(), file.vm())
                        .execution(new ModelWorld(1, guest.vcpus()), judges);
        judges.rules = new Rules(execution.machine(), execution.setup());
        execution.start();
        execution.run(guest.start(1));
        return judges.rules.violations();
    }

    private static void assertKept(VcpuScenario scenario, String text) {
        assertEquals(List.of(), judge(scenario, text));
    }

    private static void assertKept(Rules.Name rule, VcpuScenario scenario, String text) {
        assertEquals(List.of(), of(rule, judge(scenario, text)));
    }

    private static List<Violation> of(Rules.Name rule, List<Violation> violations) {
        return violations.stream().filter(violation -> violation.rule() == rule).toList();
    }

    private static Violation broken(Rules.Name rule, VcpuScenario scenario, String text) {
        List<Violation> violations = of(rule, judge(scenario, text));
        assertFalse(violations.isEmpty(), "it was kept");
        return violations.getFirst();
    }

    private static final String WRITES =
            """
            program:
              - cpuid: {leaf: 1}
              - wrmsr: {msr: IA32_SPEC_CTRL, value: 5}
              - cpuid: {leaf: 1}
              - preempt: {pcpu: 1}
              - wrmsr: {msr: IA32_SPEC_CTRL, value: 1}
              - cpuid: {leaf: 1}
            """;

    /// Exit code that leaves SPEC_CTRL alone.
    private static String without(String vendor, String phase, String steps) {
        return """
        policy: mine
        extends: kvm-6.1
        phases: {%s: {%s: %s}}
        """
                .formatted(vendor, phase, steps);
    }

    @Test
    void hostRunsWithItsOwnSpecCtrl() {
        VcpuScenario intel = VcpuScenario.on("Icelake-Server");
        assertKept(intel, WRITES);
        Violation violation =
                broken(
                        Rules.Name.HOST_SPEC_CTRL,
                        intel.file(without("vmx", "after-exit", "[]")),
                        WRITES);
        // The guest begins with 0, the host has IBRS: the first exit of all.
        assertEquals("the host runs with SPEC_CTRL 0x0, its own is 0x1", violation.message());
        assertEquals(1, violation.first().stamp().op());
        assertInstanceOf(VmExited.class, violation.first().event());
        VcpuScenario amd = VcpuScenario.on(ROME);
        assertKept(amd, WRITES);
        broken(
                Rules.Name.HOST_SPEC_CTRL,
                amd.file(without("svm", "after-exit", "[vmsave-guest, vmload-host, mark-clean]")),
                WRITES);
    }

    @ParameterizedTest
    @CsvSource({
        "kvm-5.4",
        "kvm-5.15",
        "kvm-6.1",
        "kvm-6.6",
        "kvm-6.12",
        "kvm-6.18",
        "kvm-7.1",
    })
    void treesKeepSpecCtrlApart(String tree) {
        for (String cpu : List.of("Broadwell", "Skylake-Server", "SapphireRapids", ROME)) {
            for (String variant :
                    List.of("always-intercept", "always-passthrough", "v4", "adaptive")) {
                assertKept(VcpuScenario.on(cpu).under(tree + ",spec-ctrl=" + variant), WRITES);
            }
        }
        if (!tree.equals("kvm-5.4")) {
            assertKept(VcpuScenario.on("EPYC-Milan").under(tree), WRITES);
        }
    }

    /// 5.4 does not know V_SPEC_CTRL: after an exit it finds the host's value where it looks for the guest's,
    /// which the processor has put into the VMCB, and the bits of both are set in the guest.
    @Test
    void treeWithoutVSpecCtrlLosesWritesOnHardwareThatHasIt() {
        VcpuScenario scenario = VcpuScenario.on("EPYC-Milan").under("kvm-5.4");
        Violation violation = broken(Rules.Name.GUEST_SPEC_CTRL, scenario, WRITES);
        assertEquals("the guest runs with SPEC_CTRL 0x5, it wrote 0x1", violation.message());
    }

    @Test
    void guestRunsWithWhatItWrote() {
        VcpuScenario intel = VcpuScenario.on("Icelake-Server");
        // The host's 1 is what the processor holds where nobody loads the guest's 0.
        Violation violation =
                broken(
                        Rules.Name.GUEST_SPEC_CTRL,
                        intel.file(without("vmx", "before-entry", "[inject]")),
                        "program: [ {run: 1} ]");
        assertEquals("the guest runs with SPEC_CTRL 0x1, it wrote 0x0", violation.message());
    }

    /// FACTS 1.8: whether to fetch what L2 wrote is asked of the merged map, even where vmcb12 does not
    /// intercept MSRs and the processor goes by vmcb01's, which passes the write.
    @Test
    void writeOfL2IsLostWhereL1InterceptsNoMsrs() {
        String program =
                """
                program:
                  - wrmsr: {msr: IA32_SPEC_CTRL, value: 1}
                  - nested:
                      %s
                      do:
                        - wrmsr: {msr: IA32_SPEC_CTRL, value: 5}
                        - in: {port: 0x80, size: 1}
                        - run: 10
                """;
        VcpuScenario amd = VcpuScenario.on(ROME).under("kvm-6.18");
        assertKept(amd, program.formatted("intercept: {}"));
        Violation violation =
                broken(
                        Rules.Name.GUEST_SPEC_CTRL,
                        amd,
                        program.formatted("fields: {intercepts3: 0}"));
        assertEquals("the guest runs with SPEC_CTRL 0x1, it wrote 0x5", violation.message());
    }

    /// FACTS 1.8: with V_SPEC_CTRL the MSR is passed through unconditionally up to 6.12, if the guest has it from
    /// 6.18 on. FACTS 1.3: userspace's write lifts interception whatever the guest has.
    @ParameterizedTest
    @CsvSource({
        "EPYC-Milan, kvm-6.12, true",
        "EPYC-Milan, kvm-6.18, false",
        "EPYC-Rome;v-spec-ctrl=false, kvm-6.12, false"
    })
    void hiddenSpecCtrlIsIntercepted(String cpu, String tree, boolean breaks) {
        VcpuScenario scenario =
                VcpuScenario.on(cpu.replace(';', ','))
                        .under(tree)
                        .guestCpu(
                                "{spec-ctrl: false, ibrs: false, amd-stibp: false, amd-ssbd: false}");
        if (breaks) {
            broken(Rules.Name.HIDDEN_FEATURE, scenario, "program: [ {run: 1} ]");
        } else {
            assertKept(scenario, "program: [ {run: 1} ]");
        }
    }

    @Test
    void hiddenInstructionsAreDisabled() {
        VcpuScenario scenario = VcpuScenario.on("Icelake-Server").guestCpu("{rdtscp: false}");
        assertKept(scenario, "program: [ {run: 1} ]");
        broken(
                Rules.Name.HIDDEN_FEATURE,
                scenario.file(
                        """
                        policy: mine
                        extends: kvm-6.1
                        controls: {vmx: {secondary-if-guest: {SECONDARY_EXEC_ENABLE_RDTSCP: []}}}
                        """),
                "program: [ {run: 1} ]");
    }

    /// FACTS 1.9: 5.4 only ever clears bits, so what L1 passed once stays passed.
    @ParameterizedTest
    @CsvSource({"kvm-5.4, true", "kvm-5.15, false", "kvm-7.1, false"})
    void mergedBitmapHasWhatL1Intercepts(String tree, boolean breaks) {
        String program =
                """
                program:
                  - nested: {do: [ {run: 1} ]}
                  - nested: {intercept: {write: [FS_BASE]}, do: [ {run: 1} ]}
                """;
        VcpuScenario scenario = VcpuScenario.on("Icelake-Server").under(tree);
        if (breaks) {
            Violation violation = broken(Rules.Name.NESTED_MSR_BITMAP, scenario, program);
            assertEquals("L2 may write FS_BASE, which L1 intercepts", violation.message());
        } else {
            assertKept(Rules.Name.NESTED_MSR_BITMAP, scenario, program);
        }
    }

    /// FACTS 1.9 and 1.10: 01's bitmap has the filter's intercepts at once, 02's at the next nested entry.
    @ParameterizedTest
    @CsvSource({
        "Icelake-Server, kvm-5.15, true",
        "Icelake-Server, kvm-7.1, true",
        "EPYC-Milan, kvm-5.15, true",
        "EPYC-Milan, kvm-7.1, true",
        "Icelake-Server, 'kvm-7.1,msr-filter=at-once', false",
        "EPYC-Milan, 'kvm-7.1,msr-filter=at-once', false",
        "Icelake-Server, kvm-5.4, false"
    })
    void filterReachesL2(String cpu, String policy, boolean breaks) {
        VcpuScenario scenario = VcpuScenario.on(cpu).under(policy);
        String program =
                """
                program:
                  - run: 1
                  - host-filter: {deny: [STAR]}
                  - wrmsr: {msr: FS_BASE, value: 1}
                  - nested:
                      do:
                        - run: 1
                        - host-filter: {deny: [FS_BASE]}
                        - wrmsr: {msr: FS_BASE, value: 2}
                  - wrmsr: {msr: FS_BASE, value: 3}
                """;
        if (breaks) {
            Violation violation = broken(Rules.Name.MSR_FILTER, scenario, program);
            assertEquals("L2 may read FS_BASE, which the filter denies", violation.message());
            // Where L2 goes on after the filter took it out of the guest, and after its VMCALL
            // nevermore.
            assertEquals(1, of(Rules.Name.MSR_FILTER, judge(scenario, program)).size());
            assertEquals(1, violation.count());
        } else {
            assertKept(Rules.Name.MSR_FILTER, scenario, program);
        }
    }

    private static final String AT_WORK =
            """
            program:
              - wrmsr: {msr: GS_BASE, value: 0x5000}
              - cpuid: {leaf: 1}
              - in: {port: 0x80, size: 1}
              - preempt: {pcpu: 1}
              - cpuid: {leaf: 1}
              - host-write: {msr: STAR, value: 0x10}
              - cpuid: {leaf: 1}
            """;

    /// FACTS 5: only option2 lets the host work with the guest's TR, and no variant lets it run with the guest's GS base, nor
    /// return to user mode with any of the guest's state.
    @ParameterizedTest
    @CsvSource({
        "rdmsr-list, false",
        "patch-v1, false",
        "option1, false",
        "option1-at-load, false",
        "option2, true"
    })
    void hostHasItsTaskRegister(String variant, boolean breaks) {
        for (String tree : Policies.bases()) {
            for (String cpu : List.of("EPYC-Milan", ROME + ",fsgsbase=false")) {
                VcpuScenario scenario = VcpuScenario.on(cpu).under(tree + ",host-state=" + variant);
                if (breaks) {
                    Violation violation = broken(Rules.Name.HOST_TR, scenario, AT_WORK);
                    assertEquals(
                            "TR_BASE of pCPU 0 is not the host's own 0xffff88803f803000",
                            violation.message());
                    assertEquals(2, violation.first().stamp().op());
                } else {
                    assertKept(Rules.Name.HOST_TR, scenario, AT_WORK);
                }
                assertKept(Rules.Name.HOST_GS_BASE, scenario, AT_WORK);
                assertKept(Rules.Name.HOST_SYSCALL_STATE, scenario, AT_WORK);
            }
        }
    }

    /// A reload of TR before STGI is all that option2 lacks.
    @Test
    void option2WithItsTaskRegister() {
        assertKept(
                VcpuScenario.on("EPYC-Milan")
                        .file(
                                """
                                extends: kvm-7.1,host-state=option2
                                phases: {svm: {after-exit: {after: {wrgsbase: [tr-reload]}}}}
                                """),
                AT_WORK);
    }

    @Test
    void hostHasItsGsBase() {
        Violation violation =
                broken(
                        Rules.Name.HOST_GS_BASE,
                        VcpuScenario.on("EPYC-Milan")
                                .file(without("svm", "after-exit", "{remove: [vmload-host]}")),
                        AT_WORK);
        assertEquals(
                "GS_BASE of pCPU 0 is not the host's own 0xffff88803f800000", violation.message());
        // Passed through, the guest's write does not exit; the next op's does.
        assertEquals(2, violation.first().stamp().op());
    }

    @Test
    void hostHasItsSyscallStateAtPut() {
        Violation violation =
                broken(
                        Rules.Name.HOST_SYSCALL_STATE,
                        VcpuScenario.on("EPYC-Milan")
                                .file(
                                        """
                                        extends: kvm-7.1,host-state=option2
                                        phases: {svm: {put: {remove: [vmload-host]}}}
                                        """),
                        AT_WORK);
        assertEquals("FS_SELECTOR of pCPU 0 is not the host's own 0x0", violation.message());
        assertEquals(3, violation.first().stamp().op());
    }

    /// VMSAVE once per guest-state load goes together with VMLOAD at every put only until somebody loads the vCPU without
    /// running it: on another pCPU the host then gets a save area that nothing was ever saved to.
    @Test
    void saveAreaIsWrittenBeforeItIsLoaded() {
        VcpuScenario late =
                VcpuScenario.on("EPYC-Milan")
                        .file(
                                """
                                extends: kvm-7.1,host-state=option2
                                phases:
                                  svm:
                                    load: {remove: [host-state-save]}
                                    prepare: {first: [host-state-save]}
                                """);
        String program = "program: [ %s ]";
        String write = "{host-write: {msr: STAR, value: 1}}, {run: 1}";
        assertKept(Rules.Name.HOST_GS_BASE, late, program.formatted("{run: 1}, " + write));
        Violation violation = broken(Rules.Name.HOST_GS_BASE, late, program.formatted(write));
        assertEquals(
                "GS_BASE of pCPU 0 is not the host's own 0xffff88803f800000", violation.message());
        assertKept(
                Rules.Name.HOST_GS_BASE,
                VcpuScenario.on("EPYC-Milan").under("kvm-7.1,host-state=option2"),
                program.formatted(write));
    }

    @Test
    void barrierPartsVcpus() {
        String program =
                """
                vcpu:
                  0: [ {run: 1}, {preempt: {pcpu: 1}}, {run: 1}, {run: 1} ]
                  1: [ {run: 1}, {run: 1}, {run: 1}, {run: 1} ]
                """;
        for (String cpu : List.of("Icelake-Server", "EPYC-Milan")) {
            assertKept(VcpuScenario.on(cpu), program);
        }
        Violation violation =
                broken(
                        Rules.Name.IBPB_VCPU_SWITCH,
                        VcpuScenario.on("Icelake-Server").file(without("vmx", "load", "[]")),
                        program);
        assertEquals(
                "vCPU 0 runs on pCPU 1 after vCPU 1, without an IBPB between", violation.message());
    }

    private static final String CALLS =
            "program: [ {call: 3}, {nested: {do: [ {call: 2}, {cpuid: {leaf: 1}}, {run: 1} ]}}, {run: 1} ]";

    /// FACTS 3.4: v3 flushes on the way out of L2 only, which thread 2 found; whether TLB_CONTROL makes up for it, no source says.
    @ParameterizedTest
    @CsvSource({"v3", "v3-opt1", "v3-opt2", "v3-opt3"})
    void returnAddressesCrossIntoL2(String variant) {
        Violation violation =
                broken(
                        Rules.Name.RAP_ISOLATION,
                        VcpuScenario.on("EPYC-Turin").under("kvm-7.1,eraps=" + variant),
                        CALLS);
        assertEquals(
                "L2 runs with return addresses of L1 in the predictor, if TLB_CONTROL does not clear it"
                        + " (tlb-control-clears-rap=false)",
                violation.message());
        assertEquals(2, violation.count()); // at VMRUN of L1, and when L2 goes on after CPUID
        assertKept(
                VcpuScenario.on("EPYC-Turin,tlb-control-clears-rap=true")
                        .under("kvm-7.1,eraps=" + variant),
                CALLS);
    }

    @ParameterizedTest
    @CsvSource({"entry-and-exit", "merged"})
    void returnAddressesStay(String variant) {
        assertKept(VcpuScenario.on("EPYC-Turin").under("kvm-7.1,eraps=" + variant), CALLS);
    }

    /// A guest that is told of no ERAPS has to fill the predictor itself; one that userspace tells so all the same may rely on KVM.
    @Test
    void isolationIsOwedToWhoHasEraps() {
        VcpuScenario off = VcpuScenario.on("EPYC-Turin").under("kvm-7.1,eraps=off");
        assertKept(off, CALLS);
        broken(Rules.Name.RAP_ISOLATION, off.guestCpu("{eraps: true}"), CALLS);
    }

    /// FACTS 3.4: v3 goes by the host alone.
    @ParameterizedTest
    @CsvSource({"v3, true", "entry-and-exit, false", "merged, false"})
    void hiddenPredictorIsSmall(String variant, boolean breaks) {
        VcpuScenario scenario =
                VcpuScenario.on("EPYC-Turin")
                        .under("kvm-7.1,eraps=" + variant)
                        .guestCpu("{eraps: false}");
        if (breaks) {
            assertEquals(
                    "ALLOW_LARGER_RAP is set for a vCPU that does not have ERAPS",
                    broken(Rules.Name.HIDDEN_FEATURE, scenario, CALLS).message());
        } else {
            assertKept(scenario, CALLS);
        }
    }

    /// FACTS 1.9: none in 5.15, VMX alone from 6.1 on, both from 6.18 on; Milan says IBRS parts them.
    @ParameterizedTest
    @CsvSource({
        "Icelake-Server, kvm-5.4, true",
        "Icelake-Server, kvm-5.15, true",
        "Icelake-Server, kvm-6.1, false",
        "Icelake-Server, kvm-7.1, false",
        "EPYC-Rome, kvm-5.15, true",
        "EPYC-Rome, kvm-6.12, true",
        "EPYC-Rome, kvm-6.18, false",
        "EPYC-Milan, kvm-6.1, false"
    })
    void barrierPartsL2FromL1(String cpu, String tree, boolean breaks) {
        String program = "program: [ {nested: {do: [ {run: 1} ]}}, {run: 1} ]";
        if (breaks) {
            broken(Rules.Name.IBPB_NESTED_EXIT, VcpuScenario.on(cpu).under(tree), program);
        } else {
            assertKept(VcpuScenario.on(cpu).under(tree), program);
        }
    }

    private static final String TRACES =
            """
            program:
              - wrmsr: {msr: IA32_RTIT_OUTPUT_BASE, value: 0x10000000}
              - wrmsr: {msr: IA32_RTIT_CTL, value: 0x250d}
              - cpuid: {leaf: 1}
              - preempt: {pcpu: 1}
              - cpuid: {leaf: 1}
              - wrmsr: {msr: IA32_RTIT_CTL, value: 0x250c}
              - cpuid: {leaf: 1}
            """;

    private static VcpuScenario tracing(String host) {
        return VcpuScenario.on("host")
                .platformFile(
                        "platform: host\nextends: Icelake-Server\nhost: {pt: %s}\n"
                                .formatted(host));
    }

    /// The lazy switch is sound, and so is the one at every entry and exit.
    @Test
    void treesKeepTracesApart() {
        for (String tree : List.of("kvm-5.4", "kvm-6.1", "kvm-7.1")) {
            assertKept(tracing("tracing").under(tree), TRACES);
            assertKept(tracing("tracing").under(tree + ",pt=always-switch"), TRACES);
            for (String host : List.of("off", "on")) {
                assertKept(tracing(host).under(tree + ",pt=lazy"), TRACES);
                assertKept(tracing(host).under(tree + ",pt=always-switch"), TRACES);
            }
        }
    }

    @Test
    void hostRunsWithItsOwnTrace() {
        VcpuScenario passed =
                tracing("off").under("kvm-6.1,pt=lazy,pass-through=+IA32_RTIT_OUTPUT_BASE");
        assertEquals(
                "the host runs with IA32_RTIT_OUTPUT_BASE 0x10000000, its own is 0x0",
                broken(Rules.Name.HOST_PT, passed, TRACES).message());
        String steps =
                """
                policy: mine
                extends: kvm-6.1,pt=lazy
                phases: {vmx: {after-exit: [spec-ctrl-leave]}}
                """;
        assertEquals(
                "the host runs with IA32_RTIT_CTL 0x0, its own is 0x250c",
                broken(Rules.Name.HOST_PT, tracing("on").file(steps), TRACES).message());
    }

    /// What the guest wrote without an exit is lost when its trace begins: KVM loads what it knows of.
    @Test
    void guestTracesWithWhatItSet() {
        VcpuScenario passed =
                tracing("off").under("kvm-6.1,pt=lazy,pass-through=+IA32_RTIT_OUTPUT_BASE");
        assertEquals(
                "the guest traces with IA32_RTIT_OUTPUT_BASE 0x0, it wrote 0x10000000",
                broken(Rules.Name.GUEST_PT, passed, TRACES).message());
        String never =
                """
                policy: mine
                extends: kvm-6.1,pt=lazy
                pt: {switch: never}
                """;
        broken(Rules.Name.GUEST_PT, tracing("on").file(never), TRACES);
    }

    /// VMXON clears KVM's own copy of RTIT_CTL, not the VMCS's: the processor goes on tracing, and nothing is
    /// switched for it (`enter_vmx_operation`).
    @Test
    void vmxonLeavesTheTraceOn() {
        String program =
                """
                program:
                  - wrmsr: {msr: IA32_RTIT_OUTPUT_BASE, value: 0x10000000}
                  - wrmsr: {msr: IA32_RTIT_CTL, value: 0x250d}
                  - nested: {do: [ {run: 1} ]}
                """;
        Violation violation =
                broken(Rules.Name.GUEST_PT, tracing("off").under("kvm-7.1,pt=lazy"), program);
        assertEquals(
                "the guest traces with IA32_RTIT_OUTPUT_BASE 0x0, it wrote 0x10000000",
                violation.message());
        assertKept(Rules.Name.GUEST_PT, tracing("off").under("kvm-7.1,pt=always-switch"), program);
    }

    @Test
    void hiddenTraceIsNotPassedThrough() {
        VcpuScenario passed = tracing("off").under("kvm-6.1,pass-through=+IA32_RTIT_OUTPUT_BASE");
        assertEquals(
                "PT MSRs are passed through to a vCPU that does not have them",
                broken(Rules.Name.HIDDEN_FEATURE, passed, TRACES).message());
    }

    private static VcpuScenario forced(String variants) {
        return VcpuScenario.on("SapphireRapids").under("kvm-6.1," + variants);
    }

    /// FACTS 2.3: V | F leaves what is forced off as the guest wrote it. It wrote 5, of which 4 is forced off; the
    /// processor runs with it from that entry on, and the guest's next write cannot change it.
    @Test
    void forcedOffBitLeaksInTheFirstWrite() {
        String program =
                """
                vm: {force-spec-ctrl: {mask: 4, value: 0}}
                program:
                  - wrmsr: {msr: IA32_SPEC_CTRL, value: 5}
                  - wrmsr: {msr: IA32_SPEC_CTRL, value: 1}
                  - cpuid: {leaf: 1}
                  - cpuid: {leaf: 1}
                """;
        Violation violation =
                broken(Rules.Name.FORCED_BITS, forced("spec-ctrl-force=hw-shadow"), program);
        assertEquals(
                "the guest runs with SPEC_CTRL 0x5, of which 0x4 is to be 0x0",
                violation.message());
        assertEquals(1, violation.first().stamp().op());
        // The entry after the first write, and the second write: the first exit's end puts it
        // right.
        assertEquals(2, violation.count());
        assertKept(forced("spec-ctrl-force=hw-shadow-fixed"), program);
        assertKept(forced("spec-ctrl-force=intercept"), program);
        assertKept(forced("spec-ctrl-force=none"), program);
    }

    /// The host has 0x401. What the exit computes of the guest's 0x405 with 4 off is 0x401, too: nobody writes the
    /// MSR, and the host runs with the guest's SSBD; so does the guest, for good.
    @Test
    void forcedOffBitReachesTheHost() {
        String program =
                """
                vm: {force-spec-ctrl: {mask: 4, value: 0}}
                program:
                  - wrmsr: {msr: IA32_SPEC_CTRL, value: 0x405}
                  - cpuid: {leaf: 1}
                  - cpuid: {leaf: 1}
                """;
        VcpuScenario shadow = forced("spec-ctrl-force=hw-shadow");
        Violation host = broken(Rules.Name.HOST_SPEC_CTRL, shadow, program);
        assertEquals("the host runs with SPEC_CTRL 0x405, its own is 0x401", host.message());
        // Entered with it after the write and after each CPUID.
        assertEquals(3, broken(Rules.Name.FORCED_BITS, shadow, program).count());
        assertKept(forced("spec-ctrl-force=hw-shadow-fixed"), program);
    }

    /// FACTS 2.4: what the guest tells changes the force of the vCPU, but not the mask in the VMCS, so that its next
    /// write, which does not exit, lifts the bit: until the exit after it.
    @Test
    void mitigationIsLiftedThroughStaleMask() {
        String program =
                """
                program:
                  - wrmsr: {msr: IA32_SPEC_CTRL, value: 1}
                  - wrmsr: {msr: VIRTUAL_MITIGATION_CTRL, value: 1}
                  - wrmsr: {msr: IA32_SPEC_CTRL, value: 5}
                  - cpuid: {leaf: 1}
                """;
        VcpuScenario posted = forced("spec-ctrl-force=hw-shadow,mitigation-msrs=rfc-kernel");
        Violation violation = broken(Rules.Name.FORCED_BITS, posted, program);
        assertEquals(
                "the guest runs with SPEC_CTRL 0x5, of which 0x400 is to be 0x400",
                violation.message());
        assertEquals(3, violation.first().stamp().op());
        assertEquals(1, violation.count());
        assertKept(
                posted.file(
                        """
                        policy: mine
                        extends: kvm-6.1,spec-ctrl-force=hw-shadow,mitigation-msrs=rfc-kernel
                        mitigation-msrs: {vmcs-mask: written}
                        """),
                program);
        assertKept(forced("spec-ctrl-force=intercept,mitigation-msrs=rfc-kernel"), program);
        assertKept(forced("spec-ctrl-force=hw-shadow,mitigation-msrs=userspace-filter"), program);
    }

    /// FACTS 2.3 and 2.4: without the control nothing is forced, and what is stored again is a shadow that nobody
    /// keeps.
    @Test
    void mitigationWithoutControlForcesNothing() {
        String program =
                """
                program:
                  - wrmsr: {msr: IA32_SPEC_CTRL, value: 1}
                  - wrmsr: {msr: VIRTUAL_MITIGATION_CTRL, value: 1}
                  - run: 10
                """;
        VcpuScenario posted = forced("mitigation-msrs=rfc-kernel");
        assertEquals(
                "the guest runs with SPEC_CTRL 0x0, of which 0x400 is to be 0x400",
                broken(Rules.Name.FORCED_BITS, posted, program).message());
        assertEquals(
                "the guest runs with SPEC_CTRL 0x0, it wrote 0x1",
                broken(Rules.Name.GUEST_SPEC_CTRL, posted, program).message());
    }

    private static final String MOVES =
            """
            program:
              - wrmsr: {msr: IA32_XSS, value: 0x1c00}
              - wrmsr: {msr: IA32_U_CET, value: 1}
              - xsaves: {mask: -1}
              - cpuid: {leaf: 1}
              - xrstors: {mask: -1}
              - out: {port: 0x3f8, value: 1}
              - preempt: {pcpu: 1}
              - rdmsr: IA32_U_CET
              - hlt
            """;

    private static String xss(String choices) {
        return "policy: mine\nextends: kvm-6.18\nxss: {%s}\n".formatted(choices);
    }

    /// Nothing lets XSAVES reach what is intercepted: no tree, nor one that intercepts XSAVES itself.
    @ParameterizedTest
    @CsvSource({
        "kvm-5.4",
        "kvm-5.15",
        "kvm-6.1",
        "kvm-6.6",
        "kvm-6.12",
        "kvm-6.18",
        "kvm-7.1",
        "'kvm-6.18,xss=zero'",
        "'kvm-6.6,xss=cet-fpu'",
        "'kvm-6.12,xss=xss-exiting'",
        "'kvm-7.1,xss=xss-exiting'"
    })
    void treesKeepSupervisorStateApart(String policy) {
        assertKept(VcpuScenario.on("SapphireRapids").under(policy), MOVES);
        if (!policy.contains("exiting")) {
            assertKept(VcpuScenario.on("EPYC-Genoa").under(policy), MOVES);
        }
    }

    /// PASID in IA32_XSS, as on every entry and exit it is not switched: the guest saves the host's, and puts its own
    /// back there. Moved with FPU state it is the guest's, but reached past the bitmap all the same.
    @Test
    void xsavesReachesWhatIsIntercepted() {
        VcpuScenario intel = VcpuScenario.on("SapphireRapids");
        VcpuScenario accepts = intel.file(xss("supported: [CET_USER, CET_KERNEL, PASID]"));
        Violation violation = broken(Rules.Name.XSAVES_BYPASS, accepts, MOVES);
        assertEquals(
                "XSAVES reads IA32_PASID behind the MSR bitmap, which intercepts it",
                violation.message());
        assertInstanceOf(ExtendedStateMoved.class, violation.first().event());
        VcpuScenario switched =
                intel.file(
                        xss(
                                "supported: [CET_USER, CET_KERNEL, PASID],"
                                        + " fpu: [CET_USER, CET_KERNEL, PASID]"));
        assertKept(Rules.Name.HOST_XSTATE, switched, MOVES);
        broken(Rules.Name.XSAVES_BYPASS, switched, MOVES);
    }

    /// A guest with IBT alone has the component of PL0 to PL2_SSP, but not their MSRs (FACTS 4.2 and 4.5).
    @Test
    void guestWithoutShadowStacksReachesTheirPointers() {
        Violation violation =
                broken(
                        Rules.Name.XSAVES_BYPASS,
                        VcpuScenario.on("SapphireRapids")
                                .under("kvm-7.1")
                                .guestCpu("{shstk: false}"),
                        MOVES);
        assertEquals(
                "XSAVES reads IA32_PL3_SSP behind the MSR bitmap, which intercepts it",
                violation.message());
    }

    /// The guest's U_CET stays behind where FPU state does not carry it.
    @Test
    void hostRunsWithItsOwnSupervisorState() {
        VcpuScenario forgets = VcpuScenario.on("EPYC-Genoa").file(xss("fpu: []"));
        assertEquals(
                "the host runs with IA32_U_CET 0x1, its own is 0x0",
                broken(Rules.Name.HOST_XSTATE, forgets, MOVES).message());
        VcpuScenario leaves =
                VcpuScenario.on("SapphireRapids")
                        .file(
                                without(
                                                "vmx",
                                                "after-exit",
                                                "[spec-ctrl-leave, pt-leave, xcr0-restore]")
                                        .replace("kvm-6.1", "kvm-6.18"));
        String clears = "program:\n- wrmsr: {msr: IA32_XSS, value: 0}\n- cpuid: {leaf: 1}\n";
        assertEquals(
                "the host runs with IA32_XSS 0x0, its own is 0x1800",
                broken(Rules.Name.HOST_XSTATE, leaves, clears).message());
    }

    /// Without the step before entry the guest has the host's XCR0.
    @Test
    void guestRunsWithItsOwnExtendedState() {
        String sets = "program:\n- xsetbv: {value: 3}\n- run: 1\n";
        VcpuScenario forgets =
                VcpuScenario.on("Skylake-Server")
                        .file(
                                without(
                                        "vmx",
                                        "before-entry",
                                        "[inject, write-dirty-registers, pt-enter, spec-ctrl-enter]"));
        assertEquals(
                "the guest runs with XCR0 0xe7, its own is 0x3",
                broken(Rules.Name.GUEST_XSTATE, forgets, sets).message());
        assertKept(VcpuScenario.on("Skylake-Server"), sets);
    }

    @Test
    void cetMsrsAreForGuestsThatHaveThem() {
        VcpuScenario hidden =
                VcpuScenario.on("SapphireRapids").guestCpu("{shstk: false, ibt: false}");
        assertEquals(
                "CET MSRs are passed through to a vCPU that does not have them",
                broken(
                                Rules.Name.HIDDEN_FEATURE,
                                hidden.under("kvm-6.18,pass-through=+IA32_S_CET"),
                                "program:\n- run: 1\n")
                        .message());
        assertKept(Rules.Name.HIDDEN_FEATURE, hidden.under("kvm-6.18"), "program:\n- run: 1\n");
    }
}

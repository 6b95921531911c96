package trapline.engine.exit.vmx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import trapline.engine.Recording;
import trapline.engine.VcpuScenario;
import trapline.engine.cpu.vmx.Vmcs;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.GuestEvent.MsrReadBack;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.HypervisorEvent.SpecCtrlForceAnswered;
import trapline.engine.event.HypervisorEvent.UserspaceExited;
import trapline.engine.event.HypervisorEvent.VcpuLoaded;
import trapline.engine.event.HypervisorEvent.VmcsFieldRead;
import trapline.engine.event.HypervisorEvent.VmcsFieldWritten;
import trapline.engine.event.InputEvent.SpecCtrlForceRequested;
import trapline.engine.event.Kvm;
import trapline.engine.event.Outcome;
import trapline.engine.event.Stamp.Scope;
import trapline.engine.text.InputException;

/// Bits of SPEC_CTRL that a guest is kept from (FACTS 2.1 to 2.4), on a host whose own value is 0x401.
class SpecCtrlForceTest {

    private static final String BHI = "vm: {force-spec-ctrl: {mask: 0x400, value: 0x400}}\n";
    private static final String SSBD_OFF = "vm: {force-spec-ctrl: {mask: 4, value: 0}}\n";

    private static VcpuScenario under(String variants) {
        return VcpuScenario.on("SapphireRapids").under("kvm-6.1," + variants);
    }

    private static Recording run(String variants, String setup, String program) {
        return run(under(variants), setup, program);
    }

    private static Recording run(VcpuScenario scenario, String setup, String program) {
        return scenario.runText(
                "scenario: test\n" + setup + "program:\n" + program.indent(2), "test");
    }

    private static List<Long> entryLoads(Recording recording) {
        return recording
                .all(
                        HostMsrWritten.class,
                        e -> e.msr() == 0x48 && e.cause() == HostCause.ENTRY_LOAD)
                .stream()
                .map(HostMsrWritten::value)
                .toList();
    }

    /// What the guest can tell.
    private static List<GuestEvent> seen(Recording recording) {
        return recording.all(GuestEvent.class).stream().map(GuestEvent::seen).toList();
    }

    private static long hardware(Recording recording) {
        return recording.machine().hardwareMsr(recording.vcpu(), 0x48);
    }

    private static final String TOGGLES =
            """
            - repeat: 1000
              do:
                - wrmsr: {msr: 0x48, value: 5}
                - wrmsr: {msr: 0x48, value: 1}
            - cpuid: {leaf: 1}
            """;

    /// Only the first of 2000 writes exits, and CPUID; after that one the shadow is read, the MSR never but to check
    /// the first value. The guest finds 1, the hardware has BHI_DIS_S beside it.
    @Test
    void shadowNeedsNoExit() {
        Recording recording = run("spec-ctrl-force=hw-shadow", BHI, TOGGLES);
        assertEquals(List.of("MSR_WRITE", "CPUID"), recording.exitReasons());
        assertEquals(
                new VmcsFieldRead(1, 0x204c, 1), recording.only(VmcsFieldRead.class, _ -> true));
        assertEquals(0, recording.hostReads(0x48, HostCause.EXIT_SAVE));
        assertEquals(1, recording.hostReads(0x48, HostCause.VALUE_CHECK));
        assertEquals(1, recording.vcpu().msr(0x48));
        assertEquals(0x401, hardware(recording));
        assertEquals(0x400, recording.field(1, "IA32_SPEC_CTRL_MASK"));
        assertEquals(1, recording.field(1, "IA32_SPEC_CTRL_SHADOW"));
    }

    /// Every write exits, for as long as a bit is forced; neither MSR nor shadow is read after an exit.
    @Test
    void interceptionExitsAtEachWrite() {
        Recording recording = run("spec-ctrl-force=intercept", BHI, TOGGLES);
        assertEquals(2000, recording.exits("MSR_WRITE"));
        assertEquals(2001, recording.exits());
        assertEquals(0, recording.all(VmcsFieldRead.class).size());
        assertEquals(0, recording.hostReads(0x48, HostCause.EXIT_SAVE));
        assertEquals(0, recording.intercepts(1, 0x48));
        assertEquals(1, recording.vcpu().msr(0x48));
        assertEquals(0x401, hardware(recording));
        assertEquals(0, recording.field(1, "TERTIARY_VM_EXEC_CONTROL"));
    }

    /// With nothing forced, interception ends as ever, and the MSR is read after exits; the shadow spares that.
    @ParameterizedTest
    @CsvSource({
        "intercept, 0, 100",
        "none, 0, 100",
        "hw-shadow, 100, 0",
        "hw-shadow-fixed, 100, 0"
    })
    void readsOnceAnExit(String variant, long shadows, long msrs) {
        Recording recording =
                run(
                        "spec-ctrl-force=" + variant,
                        "",
                        """
                        - wrmsr: {msr: 0x48, value: 5}
                        - repeat: 100
                          do: [ {cpuid: {leaf: 1}} ]
                        """);
        assertEquals(shadows, recording.all(VmcsFieldRead.class).size());
        assertEquals(msrs, recording.hostReads(0x48, HostCause.EXIT_SAVE));
        assertEquals(5, hardware(recording));
    }

    /// FACTS 2.3: at the first entry nothing was written; then V | F has bit 2, though it is forced off; the exit
    /// rule takes it away. The guest finds what it wrote all along.
    @ParameterizedTest
    @CsvSource({"hw-shadow, 5", "hw-shadow-fixed, 1", "intercept, 1"})
    void forcedOffBitIsSetForOneEntry(String variant, long second) {
        Recording recording =
                run(
                        "spec-ctrl-force=" + variant,
                        SSBD_OFF,
                        """
                        - wrmsr: {msr: 0x48, value: 5}
                        - cpuid: {leaf: 1}
                        - rdmsr: 0x48
                        """);
        assertEquals(List.of(0L, second, 1L), entryLoads(recording).subList(0, 3));
        assertEquals(5, recording.only(MsrReadBack.class).value());
        assertEquals(1, recording.vcpu().kvm(Kvm.SPEC_CTRL));
        assertEquals(5, recording.vcpu().kvm(Kvm.SPEC_CTRL_SHADOW));
    }

    /// (V & ~mask) | (real & mask): what is set there stays, whatever the guest writes, without an exit or a fault.
    @Test
    void maskedBitsStayAsTheyAre() {
        Recording recording =
                run(
                        "spec-ctrl-force=hw-shadow",
                        "vm: {force-spec-ctrl: {mask: 0x405, value: 0x401}}\n",
                        """
                        - wrmsr: {msr: 0x48, value: 1}
                        - wrmsr: {msr: 0x48, value: 0x446}
                        - rdmsr: 0x48
                        """);
        assertEquals(1, recording.exits());
        assertEquals(0x446, recording.only(MsrReadBack.class).value());
        assertEquals(0x443, hardware(recording));
    }

    /// FACTS 2.1 leaves open which value is checked for reserved bits, and Bochs does not store the shadow: bit 7 is
    /// none that this silicon has, and masked.
    @ParameterizedTest
    @CsvSource({
        "'{}', DONE, 0x81",
        "'{spec-ctrl-fault-check: merged, spec-ctrl-shadow: stored}', DONE, 0x81",
        "'{spec-ctrl-fault-check: written}', GP, 1",
        "'{spec-ctrl-shadow: kept}', DONE, 1"
    })
    void quirksOfSilicon(String quirks, Outcome outcome, String read) {
        VcpuScenario scenario =
                new VcpuScenario(
                        "mine.yaml",
                        "kvm-6.1,spec-ctrl-force=hw-shadow",
                        "",
                        "{}",
                        1,
                        1,
                        "platform: mine\nextends: SapphireRapids\nquirks: " + quirks + "\n");
        Recording recording =
                run(
                        scenario,
                        "vm: {force-spec-ctrl: {mask: 0x80, value: 0}}\n",
                        """
                        - wrmsr: {msr: 0x48, value: 1}
                        - wrmsr: {msr: 0x48, value: 0x81}
                        - rdmsr: 0x48
                        """);
        assertEquals(1, recording.exits());
        assertEquals(outcome, recording.last(MsrWritten.class).outcome());
        assertEquals(Long.decode(read), recording.only(MsrReadBack.class).value());
        assertEquals(1, hardware(recording));
    }

    /// FACTS 2.3. Supported here: IBRS, STIBP, SSBD, RRSBA_DIS_S, BHI_DIS_S; not PSFD. A mask may have any bit.
    @ParameterizedTest
    @CsvSource({
        "hw-shadow, 0x447, 0x447, ''",
        "hw-shadow, 0xffffffffffffffff, 0, ''",
        "hw-shadow, 0x80, 0x80, EINVAL",
        "hw-shadow, 4, 5, EINVAL",
        "hw-shadow, 0, 0, ''",
        "intercept, 0x447, 0x447, ''",
        "none, 4, 4, EINVAL",
        "none, 0, 0, EINVAL"
    })
    void grantsWhatIsSupported(String variant, String mask, String value, String error) {
        String force = "{mask: " + mask + ", value: " + value + "}";
        Recording vm =
                run(
                        "spec-ctrl-force=" + variant,
                        "vm: {force-spec-ctrl: " + force + "}\n",
                        "- run: 1\n");
        SpecCtrlForceAnswered answer = vm.only(SpecCtrlForceAnswered.class);
        assertEquals(error, answer.error());
        assertTrue(answer.vm());
        assertEquals(answer.granted() ? answer.mask() : 0, vm.vcpu().kvm(Kvm.FORCE_MASK));
        assertEquals(answer.granted() ? answer.value() : 0, vm.vcpu().kvm(Kvm.FORCE_VALUE));
        Recording vcpu =
                run(
                        "force-scope=vcpu,spec-ctrl-force=" + variant,
                        "",
                        "- run: 1\n- force-spec-ctrl: " + force + "\n- run: 1\n");
        assertEquals(error, vcpu.only(SpecCtrlForceAnswered.class).error());
    }

    /// Not before Sapphire Rapids; not where the silicon lacks the return predictor's control.
    @ParameterizedTest
    @CsvSource({
        "Icelake-Server, 7, ''",
        "Icelake-Server, 0x40, EINVAL",
        "Icelake-Server, 0x400, EINVAL"
    })
    void supportsWhatTheHostHas(String cpu, String bits, String error) {
        Recording recording =
                run(
                        VcpuScenario.on(cpu).under("kvm-6.1,spec-ctrl-force=intercept"),
                        "vm: {force-spec-ctrl: {mask: %s, value: %s}}\n".formatted(bits, bits),
                        "- run: 1\n");
        assertEquals(error, recording.only(SpecCtrlForceAnswered.class).error());
    }

    /// The VM's capability comes before its vCPUs, and is refused after.
    @Test
    void capabilityComesBeforeVcpus() {
        Recording recording =
                run(
                        "spec-ctrl-force=hw-shadow",
                        BHI,
                        "- run: 1\n- force-spec-ctrl: {mask: 4, value: 4}\n- run: 1\n");
        assertEquals(
                new SpecCtrlForceRequested(true, 0x400, 0x400),
                recording.envelopes().get(0).event());
        assertEquals(Scope.VM, recording.envelopes().get(1).stamp().scope());
        assertEquals(1, recording.envelopes().get(1).stamp().cause());
        List<SpecCtrlForceAnswered> answers = recording.all(SpecCtrlForceAnswered.class);
        assertEquals(List.of("", "EINVAL"), answers.stream().map(a -> a.error()).toList());
        assertEquals(0x400, recording.machine().vm().forceMask());
        assertEquals(0x400, recording.vcpu().kvm(Kvm.FORCE_MASK));
        // A VM's ioctl leaves the vCPU where it is.
        assertEquals(0, recording.exits());
        assertEquals(1, recording.all(VcpuLoaded.class).size());
    }

    /// Each vCPU from its making on; then one of them other bits, at run time: out of the guest, and in again.
    @Test
    void ioctlForcesAtAnyTime() {
        Recording recording =
                under("spec-ctrl-force=hw-shadow,force-scope=vcpu")
                        .runText(
                                """
                                scenario: test
                                vm: {force-spec-ctrl: {mask: 0x400, value: 0x400}}
                                vcpu:
                                  0:
                                    - wrmsr: {msr: 0x48, value: 1}
                                    - force-spec-ctrl: {mask: 4, value: 4}
                                    - wrmsr: {msr: 0x48, value: 0x400}
                                  1: [ {run: 1}, {run: 1} ]
                                """,
                                "test");
        assertEquals(0, recording.machine().vm().forceMask());
        assertEquals(3, recording.count(SpecCtrlForceAnswered.class, e -> !e.vm()));
        assertEquals(4, recording.vcpu().kvm(Kvm.FORCE_MASK));
        assertEquals(0x400, recording.machine().vcpu(1).kvm(Kvm.FORCE_MASK));
        assertEquals(List.of("MSR_WRITE", "EXTERNAL_INTERRUPT"), recording.exitReasons());
        assertEquals(
                List.of(0x400L, 4L),
                recording.written(1, Vmcs.SPEC_CTRL_MASK).stream()
                        .filter(value -> value != 0)
                        .distinct()
                        .toList());
        assertEquals(0x404, hardware(recording));
    }

    /// Interception comes back with the first bit that is forced, and goes with a write after the last.
    @Test
    void interceptionFollowsTheMask() {
        Recording recording =
                run(
                        "spec-ctrl-force=intercept,force-scope=vcpu",
                        "",
                        """
                        - wrmsr: {msr: 0x48, value: 1}
                        - wrmsr: {msr: 0x48, value: 5}
                        - force-spec-ctrl: {mask: 0x400, value: 0x400}
                        - wrmsr: {msr: 0x48, value: 1}
                        - rdmsr: 0x48
                        - force-spec-ctrl: {mask: 0, value: 0}
                        - wrmsr: {msr: 0x48, value: 5}
                        - wrmsr: {msr: 0x48, value: 1}
                        """);
        assertEquals(3, recording.exits("MSR_WRITE"));
        assertEquals(1, recording.exits("MSR_READ"));
        assertEquals(3, recording.intercepts(1, 0x48));
        assertEquals(1, recording.only(MsrReadBack.class).value());
        // Before the first write; 1; the second and BHI_DIS_S; nothing for the third, the host's
        // own 0x401; then
        // nothing forced; the one that exits.
        assertEquals(List.of(0L, 1L, 0x405L, 1L, 5L), entryLoads(recording));
        assertEquals(1, hardware(recording));
    }

    /// Patch 03: L2 is kept from the same bits and finds L1's value; L1 finds L2's. L1 is shown no control.
    @Test
    void l2IsKeptFromThemToo() {
        Recording recording =
                run(
                        "spec-ctrl-force=hw-shadow",
                        BHI,
                        """
                        - wrmsr: {msr: 0x48, value: 5}
                        - nested:
                            do:
                              - rdmsr: 0x48
                              - wrmsr: {msr: 0x48, value: 1}
                              - run: 10
                        - rdmsr: 0x48
                        """);
        List<MsrReadBack> reads = recording.all(MsrReadBack.class);
        assertEquals(List.of(5L, 1L), reads.stream().map(MsrReadBack::value).toList());
        assertEquals(0, recording.exits("MSR_READ"));
        assertEquals(1, recording.exits("MSR_WRITE"));
        assertEquals(0x80, recording.field(2, "TERTIARY_VM_EXEC_CONTROL"));
        assertEquals(0x400, recording.field(2, "IA32_SPEC_CTRL_MASK"));
        assertEquals(List.of(5L), recording.written(2, Vmcs.SPEC_CTRL_SHADOW));
        assertEquals(List.of(5L, 1L), recording.written(1, Vmcs.SPEC_CTRL_SHADOW));
        assertEquals(0, recording.field(12, "TERTIARY_VM_EXEC_CONTROL"));
        assertEquals(0x401, hardware(recording));
    }

    /// FACTS 2.4, each bit where this host needs it; what userspace forces comes first.
    @ParameterizedTest
    @CsvSource({
        "SapphireRapids, '', 0, 0, 0",
        "SapphireRapids, '', 1, 0x400, 0x400",
        "SapphireRapids, '', 2, 0x40, 0x40",
        "SapphireRapids, '', 3, 0x440, 0x440",
        "SapphireRapids, '{mask: 0x400, value: 0}', 3, 0x440, 0x40",
        "SapphireRapids, '{mask: 4, value: 4}', 1, 0x404, 0x404",
        "Icelake-Server, '', 3, 0, 0"
    })
    void kernelDerivesForce(String cpu, String force, String used, String mask, String value) {
        Recording recording =
                run(
                        VcpuScenario.on(cpu)
                                .under(
                                        "kvm-6.1,spec-ctrl-force=intercept,mitigation-msrs=rfc-kernel"),
                        force.isEmpty() ? "" : "vm: {force-spec-ctrl: " + force + "}\n",
                        "- wrmsr: {msr: 0x50000002, value: " + used + "}\n");
        assertEquals(Outcome.DONE, recording.only(MsrWritten.class).outcome());
        assertEquals(Long.decode(mask), recording.vcpu().kvm(Kvm.FORCE_MASK));
        assertEquals(Long.decode(value), recording.vcpu().kvm(Kvm.FORCE_VALUE));
    }

    /// The set is computed anew: a bit that the guest takes back is forced no more.
    @Test
    void takingBackLiftsTheForce() {
        Recording recording =
                run(
                        "spec-ctrl-force=hw-shadow,mitigation-msrs=rfc-kernel",
                        "",
                        """
                        - wrmsr: {msr: 0x50000002, value: 3}
                        - wrmsr: {msr: 0x50000002, value: 2}
                        - rdmsr: 0x50000002
                        """);
        assertEquals(2, recording.only(MsrReadBack.class).value());
        assertEquals(0x40, recording.vcpu().kvm(Kvm.FORCE_VALUE));
        assertEquals(0x40, hardware(recording));
        // RFC: the mask in the VMCS is not written.
        assertEquals(List.of(), recording.written(1, Vmcs.SPEC_CTRL_MASK));
    }

    @ParameterizedTest
    @CsvSource({
        "rdmsr: 0x50000000, DONE, GP",
        "rdmsr: 0x50000001, DONE, GP",
        "rdmsr: 0x50000002, DONE, GP",
        "'wrmsr: {msr: 0x50000000, value: 1}', GP, GP",
        "'wrmsr: {msr: 0x50000001, value: 1}', GP, GP",
        "'wrmsr: {msr: 0x50000002, value: 3}', DONE, GP",
        "'wrmsr: {msr: 0x50000002, value: 4}', GP, GP"
    })
    void accessRules(String op, Outcome shown, Outcome hidden) {
        for (String variant : List.of("rfc-kernel", "userspace-filter")) {
            VcpuScenario scenario = under("mitigation-msrs=" + variant);
            assertEquals(shown, seen(scenario.run("- " + op + "\n")).getFirst().outcome());
            VcpuScenario without = scenario.guestCpu("{virtual-enum: false}");
            assertEquals(hidden, seen(without.run("- " + op + "\n")).getFirst().outcome());
        }
        // A tree that does not know them, whatever the guest is shown.
        VcpuScenario tree = under("mitigation-msrs=none").guestCpu("{virtual-enum: true}");
        assertEquals(List.of(Outcome.GP), tree.run("- " + op + "\n").outcomes());
    }

    @Test
    void guestFindsWhatIsEnumerated() {
        Recording recording =
                under("mitigation-msrs=rfc-kernel")
                        .run("- rdmsr: 0x10a\n- rdmsr: 0x50000000\n- rdmsr: 0x50000001\n");
        List<Long> values =
                recording.all(MsrReadBack.class).stream().map(MsrReadBack::value).toList();
        assertEquals(1, values.get(0) >>> 63);
        assertEquals(List.of(1L, 3L), values.subList(1, 3));
    }

    private static final String GUEST_TELLS =
            """
            - rdmsr: 0x10a
            - rdmsr: 0x50000000
            - rdmsr: 0x50000001
            - wrmsr: {msr: 0x50000002, value: 3}
            - rdmsr: 0x50000002
            - wrmsr: {msr: 0x48, value: 1}
            - repeat: 500
              do: [ {wrmsr: {msr: 0x48, value: 5}}, {wrmsr: {msr: 0x48, value: 1}} ]
            - cpuid: {leaf: 1}
            """;

    /// The guest sees the same and runs with the same, its exits are the same; each of its 4 accesses returns to
    /// userspace, which has the bits forced once.
    @ParameterizedTest
    @CsvSource({"hw-shadow", "hw-shadow-fixed", "intercept"})
    void userspaceDoesWhatTheKernelDoes(String variant) {
        String force = "spec-ctrl-force=" + variant;
        Recording kernel = run(force + ",mitigation-msrs=rfc-kernel", "", GUEST_TELLS);
        Recording userspace = run(force + ",mitigation-msrs=userspace-filter", "", GUEST_TELLS);
        assertEquals(seen(kernel), seen(userspace));
        assertEquals(kernel.exitReasons(), userspace.exitReasons());
        assertEquals(0x441, hardware(kernel));
        assertEquals(0x441, hardware(userspace));
        assertEquals(0x440, userspace.vcpu().kvm(Kvm.FORCE_VALUE));
        assertEquals(
                List.of(29, 29, 30, 29),
                userspace.all(UserspaceExited.class).stream().map(e -> e.reason()).toList());
        assertEquals(0, kernel.all(UserspaceExited.class).size());
        assertEquals(
                new SpecCtrlForceRequested(false, 0x440, 0x440),
                userspace.only(SpecCtrlForceRequested.class));
        // Put and load for each return, and for the ioctl beside the first load of all.
        assertEquals(6, userspace.all(VcpuLoaded.class).size());
    }

    /// What userspace forces by itself stays, whatever the guest takes back; nothing is asked twice.
    @Test
    void userspacesOwnForceComesFirst() {
        Recording recording =
                run(
                        "spec-ctrl-force=hw-shadow-fixed,mitigation-msrs=userspace-filter",
                        "vm: {force-spec-ctrl: {mask: 0x404, value: 4}}\n",
                        """
                        - wrmsr: {msr: 0x50000002, value: 1}
                        - wrmsr: {msr: 0x50000002, value: 3}
                        - wrmsr: {msr: 0x50000002, value: 0}
                        """);
        assertEquals(
                List.of(
                        new SpecCtrlForceRequested(true, 0x404, 4),
                        new SpecCtrlForceRequested(false, 0x444, 0x44),
                        new SpecCtrlForceRequested(false, 0x404, 4)),
                recording.all(SpecCtrlForceRequested.class));
        assertEquals(4, hardware(recording));
    }

    /// A filter of the scenario's replaces the one before it, but not userspace's own range.
    @Test
    void anotherFilterKeepsTheMsrsOut() {
        Recording recording =
                run(
                        "spec-ctrl-force=hw-shadow-fixed,mitigation-msrs=userspace-filter",
                        "",
                        """
                        - run: 1
                        - host-filter: {deny: [IA32_TSC_DEADLINE], user-exits: [unknown]}
                        - wrmsr: {msr: 0x50000002, value: 1}
                        - rdmsr: IA32_TSC_DEADLINE
                        """);
        assertEquals(0x400, recording.vcpu().kvm(Kvm.FORCE_VALUE));
        assertEquals(2, recording.all(UserspaceExited.class).size());
    }

    /// Where the ioctl is missing, or there is no filter, userspace cannot.
    @ParameterizedTest
    @CsvSource({
        "'kvm-6.1,spec-ctrl-force=none', USERSPACE, EINVAL",
        "'kvm-6.1,spec-ctrl-force=hw-shadow,force-scope=vm', USERSPACE, EINVAL",
        "'kvm-5.4,spec-ctrl-force=hw-shadow', GP, ''"
    })
    void userspaceNeedsFilterAndIoctl(String policy, Outcome outcome, String error) {
        String variant = "mitigation-msrs=userspace-filter";
        Recording recording =
                VcpuScenario.on("SapphireRapids")
                        .under(policy.replaceFirst("(,|$)", "," + variant + "$1"))
                        .run("- wrmsr: {msr: 0x50000002, value: 1}\n");
        assertEquals(outcome, recording.only(MsrWritten.class).outcome());
        assertEquals(
                error.isEmpty() ? List.of() : List.of(error),
                recording.all(SpecCtrlForceAnswered.class).stream().map(e -> e.error()).toList());
        assertEquals(0, recording.vcpu().kvm(Kvm.FORCE_MASK));
    }

    /// With the ioctl, KVM keeps what the guest told it beside what userspace asks for later.
    @Test
    void ioctlComesFirstInTheKernelToo() {
        Recording recording =
                run(
                        "spec-ctrl-force=intercept,force-scope=vcpu,mitigation-msrs=rfc-kernel",
                        "",
                        """
                        - wrmsr: {msr: 0x50000002, value: 3}
                        - force-spec-ctrl: {mask: 0x404, value: 4}
                        - run: 1
                        """);
        assertEquals(0x444, recording.vcpu().kvm(Kvm.FORCE_MASK));
        assertEquals(0x44, recording.vcpu().kvm(Kvm.FORCE_VALUE));
    }

    @ParameterizedTest
    @CsvSource({
        "Icelake-Server, spec-ctrl-force=hw-shadow, the platform has no CPU_BASED_ACTIVATE_TERTIARY_CONTROLS",
        "EPYC-Milan, spec-ctrl-force=hw-shadow-fixed, it is for Intel VMX only",
        "EPYC-Milan, spec-ctrl-force=intercept, it is for Intel VMX only",
        "EPYC-Milan, mitigation-msrs=rfc-kernel, it is for Intel VMX only",
        "EPYC-Milan, force-scope=vcpu, it is for Intel VMX only"
    })
    void refusesWhatThePlatformCannotHave(String cpu, String choice, String why) {
        VcpuScenario scenario = VcpuScenario.on(cpu).under("kvm-6.12," + choice);
        InputException e = assertThrows(InputException.class, () -> scenario.run("- run: 1\n"));
        assertEquals("%s cannot apply to %s: %s".formatted(choice, cpu, why), e.getMessage());
    }

    /// Old trees do not activate tertiary controls by themselves.
    @ParameterizedTest
    @CsvSource({"kvm-5.4", "kvm-5.15", "kvm-7.1"})
    void everyTreeCanHaveIt(String tree) {
        Recording recording =
                run(
                        VcpuScenario.on("SapphireRapids")
                                .under(tree + ",spec-ctrl-force=hw-shadow-fixed"),
                        BHI,
                        TOGGLES);
        assertEquals(2, recording.exits());
        assertEquals(0x80, recording.field(1, "TERTIARY_VM_EXEC_CONTROL"));
        assertEquals(0x401, hardware(recording));
        assertEquals(1, recording.count(VmcsFieldWritten.class, e -> e.field() == 0x204a));
    }
}

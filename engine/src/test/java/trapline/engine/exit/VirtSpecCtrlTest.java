package trapline.engine.exit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import trapline.engine.Recording;
import trapline.engine.VcpuScenario;
import trapline.engine.event.Event;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.HypervisorEvent.HostStateLoaded;
import trapline.engine.event.HypervisorEvent.SaveArea;
import trapline.engine.table.Msrs;

/// SSBD for guests on AMD processors that have it outside SPEC_CTRL (FACTS 1.8).
class VirtSpecCtrlTest {

    private static final String NAPLES_WITH_SSBD =
            """
            platform: host
            extends: EPYC
            host: {ssbd: true}
            """;

    /// Exits: c c, the write of 4, c c c, the write of 0, c: 8, and 9 entries. The guest has SSBD at the entries after the
    /// write of 4 and after c c c, 4, and at the exits for c c c and the write of 0, 4.
    private static final String PROGRAM =
            """
            - cpuid: {leaf: 1}
            - cpuid: {leaf: 1}
            - wrmsr: {msr: AMD64_VIRT_SPEC_CTRL, value: 4}
            - cpuid: {leaf: 1}
            - cpuid: {leaf: 1}
            - cpuid: {leaf: 1}
            - wrmsr: {msr: AMD64_VIRT_SPEC_CTRL, value: 0}
            - cpuid: {leaf: 1}
            """;

    private static void assertWrites(long loads, long restores, int msr, VcpuScenario scenario) {
        Recording recording = scenario.run(PROGRAM);
        assertEquals(8, recording.exits());
        assertEquals(loads, recording.hostWrites(msr, HostCause.ENTRY_LOAD));
        assertEquals(restores, recording.hostWrites(msr, HostCause.EXIT_RESTORE));
    }

    @ParameterizedTest
    @ValueSource(strings = {"kvm-5.4", "kvm-5.15", "kvm-6.1", "kvm-7.1"})
    void switchesWhereGuestAndHostDiffer(String tree) {
        assertWrites(4, 4, Msrs.LS_CFG, VcpuScenario.on("EPYC").under(tree));
        // The other 5 entries and 4 exits.
        assertWrites(
                5,
                4,
                Msrs.LS_CFG,
                VcpuScenario.on("host").platformFile(NAPLES_WITH_SSBD).under(tree));
    }

    /// A host that is a guest itself, and has the virtual MSR.
    @Test
    void usesTheVirtualMsrWhereThereIsOne() {
        VcpuScenario nested = VcpuScenario.on("EPYC,virt-ssbd=true");
        assertWrites(4, 4, Msrs.VIRT_SPEC_CTRL, nested);
        assertWrites(0, 0, Msrs.LS_CFG, nested);
        assertTrue(
                nested
                        .run(PROGRAM)
                        .all(HostMsrWritten.class, e -> e.msr() == Msrs.VIRT_SPEC_CTRL)
                        .stream()
                        .allMatch(e -> e.value() == 4 || e.value() == 0));
    }

    /// V_SPEC_CTRL takes care of all; 5.4 does not know it.
    @ParameterizedTest
    @CsvSource({"kvm-5.4, 4", "kvm-5.15, 0", "kvm-7.1, 0"})
    void leavesItToVirtualSpecCtrl(String tree, long writes) {
        VcpuScenario scenario =
                VcpuScenario.on("EPYC-Rome,ls-cfg-ssbd=true")
                        .guestCpu("{virt-ssbd: true}")
                        .under(tree);
        assertWrites(writes, writes, Msrs.LS_CFG, scenario);
    }

    /// FACTS 1.2: only with LS_CFG, and without SSBD in SPEC_CTRL.
    @Test
    void isOfferedWhereNothingBetterIs() {
        assertTrue(VcpuScenario.on("EPYC").model().has("VIRT_SSBD"));
        assertFalse(VcpuScenario.on("EPYC").model().has("LS_CFG_SSBD"));
        assertFalse(VcpuScenario.on("EPYC-Rome").model().has("VIRT_SSBD"));
        assertFalse(VcpuScenario.on("EPYC-Rome,ls-cfg-ssbd=true").model().has("VIRT_SSBD"));
    }

    /// Order of the C helpers up to 5.15, which did both, and of 6.1, where SPEC_CTRL moved into assembly.
    @ParameterizedTest
    @CsvSource({"kvm-5.15, false", "kvm-6.1, true"})
    void isSwitchedWhereTheTreeDoesIt(String tree, boolean first) {
        List<Event> events =
                VcpuScenario.on("EPYC-Rome,v-spec-ctrl=false,ls-cfg-ssbd=true")
                        .guestCpu("{virt-ssbd: true}")
                        .under(tree)
                        .run(
                                """
                                - wrmsr: {msr: IA32_SPEC_CTRL, value: 1}
                                - wrmsr: {msr: AMD64_VIRT_SPEC_CTRL, value: 4}
                                """)
                        .ofLastOp();
        int virtual = index(events, Msrs.LS_CFG);
        int real = index(events, Msrs.SPEC_CTRL);
        assertEquals(first, virtual < real);
        assertTrue(virtual < events.indexOf(new HostStateLoaded(SaveArea.VMCB01)));
    }

    private static int index(List<Event> events, int msr) {
        for (int i = 0; i < events.size(); i++) {
            if (events.get(i) instanceof HostMsrWritten e
                    && e.msr() == msr
                    && e.cause() == HostCause.ENTRY_LOAD) {
                return i;
            }
        }
        throw new AssertionError("not written");
    }
}

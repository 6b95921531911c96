package trapline.engine.state;

import java.util.List;
import java.util.SortedMap;
import trapline.engine.event.Reg;

/// What state has to know of a machine that no event says: it never changes while a session lasts.
///
/// @param vSpecCtrl whether the processor switches SPEC_CTRL by itself (AMD V_SPEC_CTRL)
/// @param trace whether VM entry and exit switch RTIT_CTL where a VMCS says so (PT in host-guest mode)
/// @param storesSpecCtrlShadow whether WRMSR by the guest reaches the shadow of IA32_SPEC_CTRL in the VMCS
/// @param largePredictor entries of a return-address predictor that tags what guests push (AMD ERAPS); 0 for none
/// @param cet whether VM entry and exit switch S_CET, SSP and INT_SSP_TAB
/// @param hostXcr0 XCR0 of each pCPU while only the host runs
/// @param hostMsrs the MSR values of each pCPU while only the host runs
/// @param hostSegments its segment registers that are not 0 and that VMLOAD moves
public record MachineConfig(
        Vendor vendor,
        int vcpus,
        int pcpus,
        boolean vSpecCtrl,
        boolean trace,
        boolean storesSpecCtrlShadow,
        int largePredictor,
        boolean cet,
        long hostXcr0,
        List<SortedMap<Integer, Long>> hostMsrs,
        List<SortedMap<Reg, Long>> hostSegments) {

    public SortedMap<Integer, Long> hostMsrs(int pcpu) {
        return hostMsrs.get(pcpu);
    }

    public SortedMap<Reg, Long> hostSegments(int pcpu) {
        return hostSegments.get(pcpu);
    }
}

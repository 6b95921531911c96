package trapline.engine.rule;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import trapline.engine.cpu.CetMsrs;
import trapline.engine.cpu.svm.Vmcb;
import trapline.engine.cpu.vmx.Vmcs;
import trapline.engine.event.Envelope;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.Moment;
import trapline.engine.exit.SupervisorState;
import trapline.engine.rule.Rules.Scene;
import trapline.engine.state.MsrBitmap;
import trapline.engine.state.VcpuState;
import trapline.engine.state.Vendor;
import trapline.engine.table.Bits;
import trapline.engine.table.Msrs;

/// `hidden-feature`: MSRs that a hidden feature gates, and VMX controls that enable a hidden instruction.
final class HiddenFeature implements Rule {

    /// A control and the feature whose instructions it enables.
    private static final SortedMap<String, String> CONTROLS =
            new TreeMap<>(
                    Map.of(
                            "SECONDARY_EXEC_ENABLE_RDTSCP", "RDTSCP",
                            "SECONDARY_EXEC_ENABLE_INVPCID", "INVPCID",
                            "SECONDARY_EXEC_ENABLE_XSAVES", "XSAVES",
                            "SECONDARY_EXEC_ENABLE_USR_WAIT_PAUSE", "WAITPKG"));

    private final boolean hasSpecCtrl;
    private final boolean hasPredCmd;
    private final boolean hasFlushCmd;
    private final boolean hasTrace;
    private final int[] traceSet;
    private boolean traceChanged;
    private final SupervisorState supervisor;
    private boolean cetChanged;
    private final boolean hasEraps;
    private final long hiddenControls;

    HiddenFeature(Scene scene) {
        hasSpecCtrl = scene.setup().guestHasSpecCtrl();
        hasPredCmd = scene.setup().guestHasPredCmd();
        hasFlushCmd = scene.setup().model().has("FLUSH_L1D");
        hasTrace = scene.setup().model().has("INTEL_PT");
        traceSet = scene.setup().platform().trace().set();
        supervisor = scene.setup().supervisor();
        hasEraps =
                scene.setup().platform().vendor() == Vendor.VMX
                        || scene.setup().model().has("ERAPS");
        long hidden = 0;
        for (Map.Entry<String, String> control : CONTROLS.entrySet()) {
            if (!scene.setup().model().has(control.getValue())) {
                hidden |= Bits.control(control.getKey());
            }
        }
        hiddenControls = hidden;
    }

    @Override
    public List<Moment> moments() {
        return List.of(Moment.ENTRY);
    }

    @Override
    public void note(Envelope envelope) {
        if (envelope.event() instanceof MsrInterceptChanged e && Msrs.trace(e.msr())) {
            traceChanged = true;
        }
        if (envelope.event() instanceof MsrInterceptChanged e && CetMsrs.isOne(e.msr())) {
            cetChanged = true;
        }
    }

    @Override
    public Optional<String> judge(Moment moment, VcpuState vcpu) {
        MsrBitmap map = vcpu.bitmap(vcpu.currentStructure());
        if (!hasSpecCtrl && passes(map, Msrs.SPEC_CTRL)) {
            return Optional.of("SPEC_CTRL is passed through to a vCPU that does not have it");
        }
        if (!hasPredCmd && passes(map, Msrs.PRED_CMD)) {
            return Optional.of("PRED_CMD is passed through to a vCPU that does not have it");
        }
        if (!hasFlushCmd && passes(map, Msrs.FLUSH_CMD)) {
            return Optional.of("FLUSH_CMD is passed through to a vCPU that does not have it");
        }
        if (!hasTrace && traceChanged && passesTrace(map)) {
            return Optional.of("PT MSRs are passed through to a vCPU that does not have them");
        }
        if (cetChanged && passesCet(map)) {
            return Optional.of("CET MSRs are passed through to a vCPU that does not have them");
        }
        if (!hasEraps && vcpu.current().has(Vmcb.ERAP_CONTROL, Vmcb.ALLOW_LARGER_RAP)) {
            return Optional.of("ALLOW_LARGER_RAP is set for a vCPU that does not have ERAPS");
        }
        return vcpu.vendor() == Vendor.VMX ? control(vcpu) : Optional.empty();
    }

    private boolean passesTrace(MsrBitmap map) {
        for (int msr : traceSet) {
            if (passes(map, msr)) {
                return true;
            }
        }
        return false;
    }

    private boolean passesCet(MsrBitmap map) {
        boolean control = passes(map, Msrs.U_CET) || passes(map, Msrs.S_CET);
        boolean pointer = false;
        for (int msr = Msrs.PL0_SSP; msr <= Msrs.INT_SSP_TAB; msr++) {
            pointer |= passes(map, msr);
        }
        return (control && !supervisor.cet()) || (pointer && !supervisor.shadowStacks());
    }

    private static boolean passes(MsrBitmap map, int msr) {
        return !map.exits(msr, false) || !map.exits(msr, true);
    }

    private Optional<String> control(VcpuState vcpu) {
        long enabled = vcpu.current().get(Vmcs.SECONDARY) & hiddenControls;
        if (enabled == 0) {
            return Optional.empty();
        }
        for (Map.Entry<String, String> control : CONTROLS.entrySet()) {
            if ((enabled & Bits.control(control.getKey())) != 0) {
                return Optional.of(
                        "%s is set for a vCPU that does not have %s"
                                .formatted(control.getKey(), control.getValue()));
            }
        }
        return Optional.empty();
    }
}

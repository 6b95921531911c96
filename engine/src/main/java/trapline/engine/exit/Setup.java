package trapline.engine.exit;

import trapline.engine.cpu.HardwareMsrs;
import trapline.engine.cpu.Platform;
import trapline.engine.cpu.VcpuModel;
import trapline.engine.cpu.World;
import trapline.engine.policy.Policy;
import trapline.engine.policy.Policy.VirtualSpecCtrl;

/// All that stays the same while a session lasts: hardware, vCPU model, policy.
public final class Setup {

    private final Platform platform;
    private final HardwareMsrs hardware;
    private final VcpuModel model;
    private final Policy policy;
    private final World world;
    private final long hostSpecCtrl;
    private final boolean vSpecCtrl;
    private final boolean guestHasSpecCtrl;
    private final boolean guestHasPredCmd;
    private final boolean traces;
    private final int[] traceSet;
    private final boolean tagsReturns;
    private final boolean npt;
    private final SupervisorState supervisor;

    public Setup(Platform platform, VcpuModel model, Policy policy, World world) {
        this.platform = platform;
        this.hardware = new HardwareMsrs(platform);
        this.model = model;
        this.policy = policy;
        this.world = world;
        hostSpecCtrl = hostSpecCtrl(platform, policy);
        vSpecCtrl =
                platform.has("V_SPEC_CTRL")
                        && policy.specCtrl().virtual() != VirtualSpecCtrl.UNKNOWN;
        tagsReturns = platform.has("ERAPS");
        npt = npt(platform, policy);
        guestHasSpecCtrl =
                model.has("SPEC_CTRL")
                        || model.has("AMD_STIBP")
                        || model.has("AMD_IBRS")
                        || model.has("AMD_SSBD");
        guestHasPredCmd =
                model.has("SPEC_CTRL")
                        || model.has("AMD_IBPB")
                        || (policy.commands().gateSbpb() && model.has("SBPB"));
        traces = PtMsrs.hostGuest(platform, policy);
        traceSet = model.trace().set();
        supervisor = new SupervisorState(platform, model, policy);
    }

    /// The host's own SPEC_CTRL: the platform's, and BHI_DIS_S where the tree mitigates with it.
    public static long hostSpecCtrl(Platform platform, Policy policy) {
        boolean bhi = policy.bhiMitigation() && platform.has("BHI_CTRL");
        return platform.host().specCtrl() | (bhi ? 1 << 10 : 0);
    }

    /// Whether guests on AMD have nested page tables: hardware and KVM's module parameter say so.
    public static boolean npt(Platform platform, Policy policy) {
        return platform.has("NPT") && policy.mechanisms().npt();
    }

    public Platform platform() {
        return platform;
    }

    public HardwareMsrs hardware() {
        return hardware;
    }

    public VcpuModel model() {
        return model;
    }

    public Policy policy() {
        return policy;
    }

    public World world() {
        return world;
    }

    public long hostSpecCtrl() {
        return hostSpecCtrl;
    }

    /// Whether SPEC_CTRL is left to the processor (AMD V_SPEC_CTRL, in trees that know it).
    public boolean vSpecCtrl() {
        return vSpecCtrl;
    }

    /// Whether the return-address predictor tells guests' entries from the host's (AMD ERAPS).
    public boolean tagsReturns() {
        return tagsReturns;
    }

    public boolean npt() {
        return npt;
    }

    /// KVM's `guest_has_spec_ctrl_msr`.
    public boolean guestHasSpecCtrl() {
        return guestHasSpecCtrl;
    }

    /// KVM's `guest_has_pred_cmd_msr`.
    public boolean guestHasPredCmd() {
        return guestHasPredCmd;
    }

    /// Whether host and guest trace each for itself.
    public boolean traces() {
        return traces;
    }

    /// The MSRs that are switched with the guest's trace.
    int[] traceSet() {
        return traceSet;
    }

    /// XSAVE's supervisor state and CET.
    public SupervisorState supervisor() {
        return supervisor;
    }
}

package trapline.engine.exit;

import trapline.engine.cpu.Platform;
import trapline.engine.cpu.VcpuModel;
import trapline.engine.policy.Policy;
import trapline.engine.policy.Xss;
import trapline.engine.state.Vendor;
import trapline.engine.table.StateComponents;

/// What host and guest may have of XSAVE's supervisor state, and of CET: the same while a session lasts.
public final class SupervisorState {

    private final long hostXcr0;
    private final long hostXss;
    private final long guestXss;
    private final boolean xssUsable;
    private final boolean shadowStacks;
    private final boolean branchTracking;
    private final int[] fpuMsrs;

    SupervisorState(Platform platform, VcpuModel model, Policy policy) {
        Xss rule = policy.mechanisms().xss();
        long silicon = silicon(platform);
        hostXcr0 = platform.extendedStates().xcr0();
        hostXss = hostXss(platform, policy);
        guestXss = model.xss() & silicon & (rule.supported() | rule.exiting());
        boolean vmx = platform.vendor() == Vendor.VMX;
        xssUsable = model.has("XSAVE") && (vmx ? model.has("XSAVES") : platform.has("XSAVES"));
        shadowStacks = rule.cet() && model.has("SHSTK");
        branchTracking = rule.cet() && model.has("IBT");
        long cet = shadowStacks || branchTracking ? StateComponents.CET : 0;
        fpuMsrs = StateComponents.msrs(rule.fpu() & silicon & (guestXss | cet));
    }

    /// The supervisor components of the silicon; those of CET go with its features.
    private static long silicon(Platform platform) {
        boolean cet = platform.has("SHSTK") || platform.has("IBT");
        long components = platform.extendedStates().supervisor();
        return cet ? components : components & ~StateComponents.CET;
    }

    /// What the host's kernel has in IA32_XSS.
    static long hostXss(Platform platform, Policy policy) {
        return silicon(platform) & policy.mechanisms().xss().host();
    }

    /// What the policy lets a guest have there that has all its CPUID offers.
    static long offered(Platform platform, Policy policy, boolean cet) {
        Xss rule = policy.mechanisms().xss();
        long components = silicon(platform) & (rule.supported() | rule.exiting());
        return cet ? components : components & ~StateComponents.CET;
    }

    /// Whether the tree offers IBT and SHSTK here (FACTS 4.2): on VMX entry and exit have to switch their state.
    static boolean cetOffered(Platform platform, Policy policy) {
        boolean switched =
                platform.vendor() == Vendor.SVM
                        || (platform.controls().contains("VM_ENTRY_LOAD_CET_STATE")
                                && platform.controls().contains("VM_EXIT_LOAD_CET_STATE")
                                && platform.controls()
                                        .contains("SECONDARY_EXEC_UNRESTRICTED_GUEST"));
        return policy.mechanisms().xss().cet() && switched;
    }

    /// Whether VM entry and exit switch S_CET, SSP and INT_SSP_TAB: on VMX with controls, on SVM where there are any.
    public static boolean cetSwitched(Platform platform, Policy policy) {
        if (platform.vendor() == Vendor.SVM) {
            return platform.has("SHSTK");
        }
        var controls = policy.vendors().vmx().controls().always();
        return platform.controls().contains("VM_ENTRY_LOAD_CET_STATE")
                && platform.controls().contains("VM_EXIT_LOAD_CET_STATE")
                && controls.get("entry").contains("VM_ENTRY_LOAD_CET_STATE")
                && controls.get("exit").contains("VM_EXIT_LOAD_CET_STATE");
    }

    public long hostXcr0() {
        return hostXcr0;
    }

    public long hostXss() {
        return hostXss;
    }

    /// The bits of IA32_XSS that the guest may set.
    public long guestXss() {
        return guestXss;
    }

    /// Whether the guest can execute XSAVES: on SVM whatever its CPUID says of it (FACTS 4.3).
    public boolean xssUsable() {
        return xssUsable;
    }

    /// Whether guest and host can ever differ in IA32_XSS.
    boolean switchesXss() {
        return xssUsable && (guestXss | hostXss) != 0;
    }

    public boolean shadowStacks() {
        return shadowStacks;
    }

    /// Whether the guest has any of CET.
    public boolean cet() {
        return shadowStacks || branchTracking;
    }

    public boolean branchTracking() {
        return branchTracking;
    }

    /// How many MSRs travel with the guest's FPU state.
    public int fpuMsrs() {
        return fpuMsrs.length;
    }

    public int fpuMsr(int i) {
        return fpuMsrs[i];
    }
}

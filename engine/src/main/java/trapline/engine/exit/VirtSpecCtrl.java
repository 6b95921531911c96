package trapline.engine.exit;

import trapline.engine.cpu.Platform;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.Kvm;
import trapline.engine.state.Vendor;
import trapline.engine.table.Msrs;

/// The guest's VIRT_SPEC_CTRL in force between CLGI and STGI: the host's own SSBD, by the MSR that the processor has.
///
/// FACTS 1.8; `x86_virt_spec_ctrl`.
final class VirtSpecCtrl {

    private static final long SSBD = 1 << 2;

    /// SSBD of family 17H in AMD64_LS_CFG (amd.c).
    private static final long LS_CFG_SSBD = 1 << 10;

    /// Whether there is anything to switch: SSBD outside SPEC_CTRL, and no V_SPEC_CTRL.
    static boolean isNeeded(Setup setup) {
        return isThere(setup.platform()) && !setup.vSpecCtrl();
    }

    static boolean isThere(Platform platform) {
        return platform.vendor() == Vendor.SVM
                && (platform.has("LS_CFG_SSBD") || platform.has("VIRT_SSBD"));
    }

    /// The MSR by which the host sets SSBD: the virtual one where a hypervisor below offers it.
    static int msr(Platform platform) {
        return platform.has("VIRT_SSBD") ? Msrs.VIRT_SPEC_CTRL : Msrs.LS_CFG;
    }

    /// What that MSR holds with SSBD set or not.
    static long value(Platform platform, boolean ssbd) {
        return !ssbd ? 0 : platform.has("VIRT_SSBD") ? SSBD : LS_CFG_SSBD;
    }

    void enter(Vcpu v) {
        write(v, guest(v), HostCause.ENTRY_LOAD);
    }

    void leave(Vcpu v) {
        write(v, v.setup().platform().host().ssbd(), HostCause.EXIT_RESTORE);
    }

    private static boolean guest(Vcpu v) {
        return (v.state().kvm(Kvm.VIRT_SPEC_CTRL) & SSBD) != 0;
    }

    private static void write(Vcpu v, boolean ssbd, HostCause cause) {
        Platform platform = v.setup().platform();
        if (guest(v) != platform.host().ssbd()) {
            v.hostWrite(msr(platform), value(platform, ssbd), cause);
        }
    }
}

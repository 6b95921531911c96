package trapline.engine.exit;

import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.Kvm;
import trapline.engine.policy.Step;
import trapline.engine.state.Vendor;
import trapline.engine.table.Msrs;

/// The MSRs that matter only in user mode: the guest's values stay in the hardware until the host returns there.
final class UserReturn {

    private static final int[] VMX = {Msrs.STAR, Msrs.LSTAR, Msrs.SYSCALL_MASK, Msrs.TSC_AUX};
    private static final int[] SVM = {Msrs.TSC_AUX};

    private final VendorCode vendor;

    UserReturn(VendorCode vendor) {
        this.vendor = vendor;
    }

    /// The guest's values, once it is loaded.
    void load(Vcpu v) {
        for (int msr : msrs(v)) {
            if (shown(v, msr)) {
                set(v, msr, v.state().msr(msr));
            }
        }
    }

    /// The host's, before it is in user mode.
    void restore(Vcpu v) {
        for (int msr : msrs(v)) {
            if (shown(v, msr)) {
                set(v, msr, v.hostValue(msr));
            }
        }
    }

    /// A new value of the guest's: at once if its values are loaded now.
    void store(Vcpu v, int msr, long value) {
        boolean atLoad =
                vendor.phases().load().contains(Step.HOST_MSRS_READ)
                        || vendor.phases().load().contains(Step.TSC_AUX_LOAD);
        if (atLoad && msr == Msrs.TSC_AUX && v.state().is(Kvm.LOADED)) {
            v.hostWrite(msr, value, HostCause.LOAD);
        }
        boolean loaded =
                v.state().is(Kvm.GUEST_STATE_LOADED)
                        && vendor.phases().prepare().contains(Step.USER_RETURN_MSRS);
        for (int covered : msrs(v)) {
            if (covered == msr && loaded && shown(v, msr)) {
                set(v, msr, value);
            }
        }
    }

    private static int[] msrs(Vcpu v) {
        return v.state().vendor() == Vendor.VMX ? VMX : SVM;
    }

    private static boolean shown(Vcpu v, int msr) {
        return msr != Msrs.TSC_AUX || v.setup().model().has("RDTSCP");
    }

    private static void set(Vcpu v, int msr, long wanted) {
        if (v.pcpu().msr(msr) != wanted) {
            v.hostWrite(msr, wanted, HostCause.USER_RETURN);
        }
    }
}

package trapline.engine.exit;

import trapline.engine.cpu.ArchCapabilities;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.HostMsrFaulted;
import trapline.engine.event.Kvm;
import trapline.engine.event.Reg;
import trapline.engine.policy.Condition;
import trapline.engine.policy.Policy;
import trapline.engine.policy.Policy.VirtualSpecCtrl;
import trapline.engine.policy.Policy.Watch;
import trapline.engine.policy.Variables;
import trapline.engine.state.Vendor;
import trapline.engine.table.Msrs;

/// IA32_SPEC_CTRL: who may write what, when its interception ends, and who runs with which value.
///
/// FACTS 1.2 to 1.8; `kvm_spec_ctrl_test_value`, `vmx_set_msr`, `svm_set_msr`, `__vmx_vcpu_run`.
final class SpecCtrl implements MsrFamily {

    private static final int MSR = Msrs.SPEC_CTRL;

    private final VendorCode vendor;

    SpecCtrl(VendorCode vendor) {
        this.vendor = vendor;
    }

    /// When the vCPU is made and its CPUID is set.
    void start(Vcpu v) {
        Policy.SpecCtrl policy = v.setup().policy().specCtrl();
        boolean passed = policy.passedThroughFromStart();
        if (v.setup().vSpecCtrl() && !isAlwaysIntercepted(policy)) {
            passed =
                    policy.virtual() == VirtualSpecCtrl.PASS_THROUGH
                            || v.setup().guestHasSpecCtrl();
        }
        if (passed) {
            intercept(v, false);
        }
    }

    /// Whether it passes through is computed from what the guest has in it now (FACTS 1.3, `recalc_msr_intercepts`).
    void recalculate(Vcpu v) {
        Policy.SpecCtrl policy = v.setup().policy().specCtrl();
        boolean passed;
        if (v.setup().vSpecCtrl() && !isAlwaysIntercepted(policy)) {
            passed = v.setup().guestHasSpecCtrl();
        } else {
            Write last = new Write(v, value(v), false, value(v));
            passed = policy.recalculate().orElseThrow().holds(last);
        }
        intercept(v, !passed);
    }

    /// A policy that never lifts interception keeps it where hardware would make it needless, too.
    private static boolean isAlwaysIntercepted(Policy.SpecCtrl policy) {
        return !policy.passedThroughFromStart() && policy.lift().isNever();
    }

    @Override
    public boolean covers(int msr) {
        return msr == MSR;
    }

    private static boolean allowed(Vcpu v, boolean hostInitiated) {
        return hostInitiated || v.setup().guestHasSpecCtrl();
    }

    @Override
    public MsrResult read(Vcpu v, int msr, boolean hostInitiated) {
        return MsrResult.readIf(allowed(v, hostInitiated), value(v));
    }

    private static long value(Vcpu v) {
        return v.setup().vSpecCtrl()
                ? v.state().register(Reg.SPEC_CTRL)
                : v.state().kvm(Kvm.SPEC_CTRL);
    }

    /// A write that exits, or userspace's.
    @Override
    public MsrResult write(Vcpu v, int msr, long value, boolean hostInitiated) {
        if (!allowed(v, hostInitiated) || !hostAccepts(v, value)) {
            return MsrResult.INVALID;
        }
        Write write = new Write(v, value, hostInitiated, value(v));
        count(write);
        boolean lifted =
                v.state().bitmap(1).exits(MSR, true)
                        && v.setup().policy().specCtrl().lift().holds(write);
        if (v.setup().vSpecCtrl()) {
            vendor.storeVirtualSpecCtrl(v, value);
        } else {
            v.set(Kvm.SPEC_CTRL, value);
        }
        if (lifted) {
            intercept(v, false);
        }
        return MsrResult.WRITTEN;
    }

    /// Counts a write, where the policy goes by how often the guest writes.
    private static void count(Write write) {
        Vcpu v = write.v();
        Watch watch = v.setup().policy().specCtrl().watch();
        if (watch.count().holds(write)) {
            boolean quick = write.vcpuExitsSince() < watch.quickWindow();
            v.set(Kvm.QUICK_WRITES, quick ? v.state().kvm(Kvm.QUICK_WRITES) + 1 : 0);
            v.set(Kvm.EXITS_SNAPSHOT, v.state().kvm(Kvm.EXITS));
        }
    }

    /// After an exit at which the guest's writes were passed through: whether they still are worth it.
    void resume(Vcpu v) {
        Condition resume = v.setup().policy().specCtrl().watch().resume();
        if (!resume.isNever()
                && !v.setup().vSpecCtrl()
                && !vendor.writesExit(v, MSR)
                && resume.holds(new Write(v, value(v), false, value(v)))) {
            v.set(Kvm.EXITS_SNAPSHOT, v.state().kvm(Kvm.EXITS));
            v.set(Kvm.QUICK_WRITES, 0);
            intercept(v, true);
        }
    }

    /// Tries the value on the host: read, write, put back, each of which may fault.
    private static boolean hostAccepts(Vcpu v, long value) {
        if (!v.setup().hardware().hasSpecCtrl()) {
            v.emit(new HostMsrFaulted(MSR, false, 0, HostCause.VALUE_CHECK));
            return false;
        }
        long saved = v.hostRead(MSR, HostCause.VALUE_CHECK);
        if (!v.hostTry(MSR, value, HostCause.VALUE_CHECK)) {
            return false;
        }
        v.hostWrite(MSR, saved, HostCause.VALUE_CHECK);
        return true;
    }

    private static void intercept(Vcpu v, boolean exits) {
        Interception.set(v, MSR, exits, exits);
    }

    /// Just before entry: the guest's value, if it differs from the host's.
    void enter(Vcpu v) {
        if (!v.setup().hardware().hasSpecCtrl() || v.setup().vSpecCtrl()) {
            return;
        }
        long guest = v.state().kvm(Kvm.SPEC_CTRL);
        if (differs(v, guest, v.setup().hostSpecCtrl())) {
            v.hostWrite(MSR, guest & mask(v), HostCause.ENTRY_LOAD);
        }
    }

    /// Just after exit: what the guest wrote last, if it could without us; then the host's value.
    void leave(Vcpu v) {
        if (!v.setup().hardware().hasSpecCtrl() || v.setup().vSpecCtrl()) {
            return;
        }
        if (!vendor.writesExit(v, MSR)) {
            v.hostRead(MSR, HostCause.EXIT_SAVE);
        }
        long guest = v.state().kvm(Kvm.SPEC_CTRL);
        if (alwaysRestored(v) || differs(v, guest, v.setup().hostSpecCtrl())) {
            v.hostWrite(MSR, v.setup().hostSpecCtrl(), HostCause.EXIT_RESTORE);
        }
    }

    /// KERNEL_IBRS, which only VMX's exit looks at: the write itself keeps the guest's predictions out.
    private static boolean alwaysRestored(Vcpu v) {
        return v.state().vendor() == Vendor.VMX
                && v.setup().platform().host().kernelIbrs()
                && v.setup().policy().specCtrl().kernelIbrs();
    }

    private static boolean differs(Vcpu v, long guest, long host) {
        return ((guest ^ host) & mask(v)) != 0;
    }

    /// Some trees look at the low half only.
    private static long mask(Vcpu v) {
        return v.setup().policy().specCtrl().entryBits() == 32 ? 0xffff_ffffL : -1;
    }

    /// What a condition may ask about one write.
    private record Write(Vcpu v, long value, boolean hostInitiated, long vcpuSpecCtrl)
            implements Variables {

        @Override
        public boolean hostEibrs() {
            return v.setup().platform().eibrs();
        }

        @Override
        public boolean hostVmx() {
            return v.state().vendor() == Vendor.VMX;
        }

        @Override
        public long hostSpecCtrl() {
            return v.setup().hostSpecCtrl();
        }

        @Override
        public boolean guestIbrsAll() {
            return (v.state().kvm(Kvm.ARCH_CAPABILITIES) & ArchCapabilities.IBRS_ALL) != 0;
        }

        @Override
        public long vcpuExits() {
            return v.state().kvm(Kvm.EXITS);
        }

        @Override
        public long vcpuQuickWrites() {
            return v.state().kvm(Kvm.QUICK_WRITES);
        }

        @Override
        public long vcpuExitsSince() {
            return vcpuExits() - v.state().kvm(Kvm.EXITS_SNAPSHOT);
        }
    }
}

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
import trapline.engine.policy.SpecCtrlForce;
import trapline.engine.policy.SpecCtrlForce.By;
import trapline.engine.policy.Variables;
import trapline.engine.state.Vendor;
import trapline.engine.table.Msrs;

/// IA32_SPEC_CTRL: who may write what, when its interception ends, and who runs with which value.
///
/// FACTS 1.2 to 1.8; `kvm_spec_ctrl_test_value`, `vmx_set_msr`, `svm_set_msr`, `__vmx_vcpu_run`.
final class SpecCtrl implements MsrFamily {

    private static final int MSR = Msrs.SPEC_CTRL;
    private static final long EFER_AUTOIBRS = 1 << 21;

    private final VendorCode vendor;
    private final SpecCtrlForce force;

    SpecCtrl(VendorCode vendor) {
        this.vendor = vendor;
        force = vendor.specCtrlForce();
    }

    /// When the vCPU is made and its CPUID is set.
    @Override
    public void start(Vcpu v) {
        Policy.SpecCtrl policy = v.setup().policy().specCtrl();
        boolean passed = policy.passedThroughFromStart();
        if (v.setup().vSpecCtrl() && !isAlwaysIntercepted(policy)) {
            passed =
                    policy.virtual() == VirtualSpecCtrl.PASS_THROUGH
                            || v.setup().guestHasSpecCtrl();
        }
        store(v, 0);
        if (passed && !keepsInterception(v)) {
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
            long runs = force.by() == By.NONE ? value(v) : v.state().kvm(Kvm.SPEC_CTRL);
            Write last = new Write(v, runs, false, value(v));
            passed = policy.recalculate().orElseThrow().holds(last) && !keepsInterception(v);
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

    private long value(Vcpu v) {
        return v.setup().vSpecCtrl() ? v.state().register(Reg.SPEC_CTRL) : written(v);
    }

    /// What the guest wrote last, of which `vcpu.spec_ctrl` may be another form.
    private long written(Vcpu v) {
        return v.state().kvm(force.by() == By.NONE ? Kvm.SPEC_CTRL : Kvm.SPEC_CTRL_SHADOW);
    }

    /// `vmx_set_spec_ctrl` of the RFC (FACTS 2.3): what the guest finds, and what it runs with.
    private void store(Vcpu v, long written) {
        if (force.by() == By.NONE) {
            v.set(Kvm.SPEC_CTRL, written);
            return;
        }
        v.set(Kvm.SPEC_CTRL_SHADOW, written);
        if (force.by() == By.SHADOW) {
            vendor.writeSpecCtrlShadow(v, written);
        }
        v.set(Kvm.SPEC_CTRL, effective(v, written));
    }

    private long effective(Vcpu v, long written) {
        return force.effective(
                written, v.state().kvm(Kvm.FORCE_MASK), v.state().kvm(Kvm.FORCE_VALUE));
    }

    /// Other bits are forced from now on, and what the guest wrote is stored again.
    ///
    /// @param writesMask whether the processor is told
    void force(Vcpu v, long mask, long value, boolean writesMask) {
        v.set(Kvm.FORCE_MASK, mask);
        v.set(Kvm.FORCE_VALUE, value);
        if (writesMask && force.by() == By.SHADOW) {
            vendor.writeSpecCtrlMask(v, mask);
        }
        if (keepsInterception(v)) {
            intercept(v, true);
        }
        store(v, v.state().kvm(Kvm.SPEC_CTRL_SHADOW));
    }

    /// Whether every access has to exit, because only so it is kept from bits that are forced.
    private boolean keepsInterception(Vcpu v) {
        return force.by() == By.INTERCEPT && v.state().kvm(Kvm.FORCE_MASK) != 0;
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
                        && v.setup().policy().specCtrl().lift().holds(write)
                        && !keepsInterception(v);
        if (v.setup().vSpecCtrl()) {
            vendor.storeVirtualSpecCtrl(v, value);
        } else {
            store(v, value);
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

    static void intercept(Vcpu v, boolean exits) {
        Interception.set(v, MSR, exits, exits);
    }

    /// Whether it is KVM that switches the MSR: there is one, and the processor does not.
    static boolean isSwitched(Setup setup) {
        return setup.hardware().hasSpecCtrl() && !setup.vSpecCtrl();
    }

    /// Just before entry: the guest's value, if it differs from the host's.
    void enter(Vcpu v) {
        long guest = v.state().kvm(Kvm.SPEC_CTRL);
        if (differs(v, guest, v.setup().hostSpecCtrl())) {
            v.hostWrite(MSR, guest & mask(v), HostCause.ENTRY_LOAD);
        }
    }

    /// Just after exit: what the guest wrote last, if it could without us; then the host's value.
    void leave(Vcpu v) {
        save(v);
        restore(v);
    }

    /// What the guest wrote last, if it could without us.
    void save(Vcpu v) {
        if (!vendor.writesExit(v, MSR)) {
            fetch(v);
        }
    }

    /// The host's value, where the guest's is another.
    void restore(Vcpu v) {
        long guest = v.state().kvm(Kvm.SPEC_CTRL);
        if (alwaysRestored(v) || differs(v, guest, v.setup().hostSpecCtrl())) {
            v.hostWrite(MSR, v.setup().hostSpecCtrl(), HostCause.EXIT_RESTORE);
        }
    }

    /// What the guest wrote last without an exit: the hardware's value, or the shadow that it shows.
    private void fetch(Vcpu v) {
        if (force.by() == By.SHADOW) {
            vendor.readSpecCtrlShadow(v);
            return;
        }
        long held = v.hostRead(MSR, HostCause.EXIT_SAVE);
        if (force.by() == By.INTERCEPT) {
            store(v, held);
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
        public boolean guestAutoIbrs() {
            return (v.state().register(Reg.EFER) & EFER_AUTOIBRS) != 0;
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

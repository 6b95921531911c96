package trapline.engine.exit;

import trapline.engine.cpu.Execute;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.HostExtendedControlWritten;
import trapline.engine.event.HypervisorEvent.UserspaceMsrStored;
import trapline.engine.event.Kvm;
import trapline.engine.event.Outcome;
import trapline.engine.event.Reg;
import trapline.engine.policy.Xss.Gate;
import trapline.engine.state.Vendor;
import trapline.engine.table.Msrs;

/// XCR0, IA32_XSS and the MSRs among FPU state: what a guest may set, and when the hardware has whose values.
///
/// FACTS 4.2 and 4.3; `kvm_load_guest_xsave_state`, `kvm_load_guest_fpu`. PKRU, which the same code switches, is
/// not modelled: no op changes it.
final class XsaveState implements MsrFamily {

    /// Userspace starts a vCPU as an operating system left it that is like the host's own.
    @Override
    public void start(Vcpu v) {
        long xss = v.setup().supervisor().guestXss() & v.setup().supervisor().hostXss();
        if (xss != 0) {
            v.set(Kvm.XSS, xss);
            v.emit(new UserspaceMsrStored(Msrs.XSS, xss, Outcome.DONE));
        }
    }

    void loadXcr0(Vcpu v) {
        switchXcr0(v, v.state().register(Reg.XCR0), HostCause.ENTRY_LOAD);
    }

    void restoreXcr0(Vcpu v) {
        switchXcr0(v, v.setup().supervisor().hostXcr0(), HostCause.EXIT_RESTORE);
    }

    private static void switchXcr0(Vcpu v, long value, HostCause cause) {
        if (v.state().register(Reg.XCR0) != v.setup().supervisor().hostXcr0()
                && Execute.hasXsave(v.state())) {
            v.emit(new HostExtendedControlWritten(0, value, cause));
        }
    }

    void loadXss(Vcpu v) {
        switchXss(v, v.state().kvm(Kvm.XSS), HostCause.ENTRY_LOAD);
    }

    void restoreXss(Vcpu v) {
        switchXss(v, v.setup().supervisor().hostXss(), HostCause.EXIT_RESTORE);
    }

    private static void switchXss(Vcpu v, long value, HostCause cause) {
        SupervisorState supervisor = v.setup().supervisor();
        if (v.state().kvm(Kvm.XSS) != supervisor.hostXss()
                && supervisor.xssUsable()
                && Execute.hasXsave(v.state())) {
            v.hostWrite(Msrs.XSS, value, cause);
        }
    }

    /// XRSTORS of the guest's FPU state, as far as it is MSRs and changes what they hold.
    void loadFpu(Vcpu v) {
        SupervisorState supervisor = v.setup().supervisor();
        for (int i = 0; i < supervisor.fpuMsrs(); i++) {
            int msr = supervisor.fpuMsr(i);
            long saved = v.state().extended().fpu().get(msr);
            if (v.pcpu().msr(msr) != saved) {
                v.hostWrite(msr, saved, HostCause.FPU_LOAD);
            }
        }
    }

    /// XSAVES of the guest's FPU state, as far as it changed, and XRSTORS of the host's.
    void putFpu(Vcpu v) {
        SupervisorState supervisor = v.setup().supervisor();
        for (int i = 0; i < supervisor.fpuMsrs(); i++) {
            int msr = supervisor.fpuMsr(i);
            long held = v.pcpu().msr(msr);
            if (held != v.state().extended().fpu().get(msr)) {
                v.hostRead(msr, HostCause.FPU_PUT);
            }
            if (held != v.hostValue(msr)) {
                v.hostWrite(msr, v.hostValue(msr), HostCause.FPU_PUT);
            }
        }
    }

    @Override
    public boolean covers(int msr) {
        return msr == Msrs.XSS;
    }

    @Override
    public MsrResult read(Vcpu v, int msr, boolean hostInitiated) {
        if (!known(v)) {
            return MsrResult.UNSUPPORTED;
        }
        return MsrResult.readIf(open(v, hostInitiated), v.state().kvm(Kvm.XSS));
    }

    @Override
    public MsrResult write(Vcpu v, int msr, long value, boolean hostInitiated) {
        if (!known(v)) {
            return MsrResult.UNSUPPORTED;
        }
        if (!open(v, hostInitiated) || (value & ~v.setup().supervisor().guestXss()) != 0) {
            return MsrResult.INVALID;
        }
        v.set(Kvm.XSS, value);
        return MsrResult.WRITTEN;
    }

    private static boolean known(Vcpu v) {
        Gate gate = v.setup().policy().mechanisms().xss().gate();
        return v.state().vendor() == Vendor.VMX ? gate.vmx() : gate.svm();
    }

    private static boolean open(Vcpu v, boolean hostInitiated) {
        Gate gate = v.setup().policy().mechanisms().xss().gate();
        return (hostInitiated && !gate.userspace()) || v.setup().model().hasAll(gate.features());
    }
}

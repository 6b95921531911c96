package trapline.engine.exit;

import trapline.engine.cpu.CetMsrs;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.Reg;
import trapline.engine.state.RegisterMap;
import trapline.engine.state.Vendor;
import trapline.engine.table.Msrs;

/// The MSRs of control-flow enforcement: who has them, and where their values are.
///
/// FACTS 4.5; `kvm_is_valid_u_s_cet`, `kvm_access_xstate_msr`. S_CET and INT_SSP_TAB are in the guest's structure;
/// the others are in the hardware while the vCPU is loaded, with its FPU state.
final class Cet implements MsrFamily {

    private static final int[] SHADOW_STACK_POINTERS = {
        Msrs.PL0_SSP, Msrs.PL1_SSP, Msrs.PL2_SSP, Msrs.PL3_SSP
    };

    private final VendorCode vendor;

    Cet(VendorCode vendor) {
        this.vendor = vendor;
    }

    /// When CPUID is set: what is passed through. INT_SSP_TAB never is.
    @Override
    public void start(Vcpu v) {
        SupervisorState supervisor = v.setup().supervisor();
        boolean vmx = v.state().vendor() == Vendor.VMX;
        if (vmx ? supervisor.cet() : supervisor.shadowStacks()) {
            Interception.pass(v, Msrs.U_CET, true, true);
            Interception.pass(v, Msrs.S_CET, true, true);
        }
        if (supervisor.shadowStacks()) {
            for (int msr : SHADOW_STACK_POINTERS) {
                Interception.pass(v, msr, true, true);
            }
        }
    }

    @Override
    public boolean covers(int msr) {
        return CetMsrs.isOne(msr);
    }

    @Override
    public MsrResult read(Vcpu v, int msr, boolean hostInitiated) {
        if (!supported(v, msr)) {
            return MsrResult.UNSUPPORTED;
        }
        return MsrResult.read(
                RegisterMap.register(msr) == null
                        ? v.hostRead(msr, HostCause.GUEST_READ)
                        : v.state().msr(msr));
    }

    @Override
    public MsrResult write(Vcpu v, int msr, long value, boolean hostInitiated) {
        if (!supported(v, msr)) {
            return MsrResult.UNSUPPORTED;
        }
        SupervisorState supervisor = v.setup().supervisor();
        if (!CetMsrs.valid(
                msr, value, supervisor.shadowStacks(), supervisor.branchTracking(), false)) {
            return MsrResult.INVALID;
        }
        Reg register = RegisterMap.register(msr);
        if (register == null) {
            v.hostWrite(msr, value, HostCause.GUEST_WRITE);
        } else {
            vendor.storeRegister(v, msr, register, value);
        }
        return MsrResult.WRITTEN;
    }

    private static boolean supported(Vcpu v, int msr) {
        SupervisorState supervisor = v.setup().supervisor();
        boolean has = CetMsrs.isControl(msr) ? supervisor.cet() : supervisor.shadowStacks();
        return has && (msr != Msrs.INT_SSP_TAB || v.setup().model().has("LM"));
    }
}

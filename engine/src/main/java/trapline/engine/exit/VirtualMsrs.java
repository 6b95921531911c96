package trapline.engine.exit;

import trapline.engine.cpu.ArchCapabilities;
import trapline.engine.event.Kvm;
import trapline.engine.policy.SpecCtrlForce.By;
import trapline.engine.table.Bits;
import trapline.engine.table.Msrs;

/// The virtual MSRs 0x50000000 to 0x50000002 as the RFC's KVM emulates them (FACTS 2.4; `vmx_set_msr`).
///
/// A guest tells in them which software mitigations it uses; KVM forces the bits of SPEC_CTRL that do on this
/// host what those did on another.
final class VirtualMsrs implements MsrFamily {

    static final long CTRL_SUPPORT = 1;

    /// How many there are, in a row.
    static final int COUNT = 3;

    private static final long BHB_CLEAR_SEQ = 1;
    private static final long RETPOLINE = 2;
    static final long MITIGATIONS = BHB_CLEAR_SEQ | RETPOLINE;

    private final VendorCode vendor;
    private final SpecCtrl specCtrl;

    VirtualMsrs(VendorCode vendor, SpecCtrl specCtrl) {
        this.vendor = vendor;
        this.specCtrl = specCtrl;
    }

    /// Userspace gives the vCPU all that KVM offers, if it shows the MSRs at all.
    @Override
    public void start(Vcpu v) {
        if (shown(v)) {
            v.set(Kvm.VIRTUAL_ENUMERATION, CTRL_SUPPORT);
            v.set(Kvm.VIRTUAL_MITIGATION_ENUM, MITIGATIONS);
        }
    }

    static boolean isOne(int msr) {
        return msr >= Msrs.VIRTUAL_ENUMERATION && msr < Msrs.VIRTUAL_ENUMERATION + COUNT;
    }

    @Override
    public boolean covers(int msr) {
        return isOne(msr);
    }

    @Override
    public MsrResult read(Vcpu v, int msr, boolean hostInitiated) {
        if (msr == Msrs.VIRTUAL_ENUMERATION) {
            return MsrResult.readIf(
                    hostInitiated || shown(v), v.state().kvm(Kvm.VIRTUAL_ENUMERATION));
        }
        Kvm variable =
                msr == Msrs.VIRTUAL_MITIGATION_ENUM
                        ? Kvm.VIRTUAL_MITIGATION_ENUM
                        : Kvm.VIRTUAL_MITIGATION_CTRL;
        return MsrResult.readIf(hostInitiated || enumerated(v), v.state().kvm(variable));
    }

    @Override
    public MsrResult write(Vcpu v, int msr, long value, boolean hostInitiated) {
        if (msr == Msrs.VIRTUAL_MITIGATION_CTRL) {
            return MsrResult.writtenIf(control(v, value, hostInitiated));
        }
        boolean enumeration = msr == Msrs.VIRTUAL_ENUMERATION;
        long valid = enumeration ? CTRL_SUPPORT : MITIGATIONS;
        if (!hostInitiated || (value & ~valid) != 0) {
            return MsrResult.INVALID;
        }
        v.set(enumeration ? Kvm.VIRTUAL_ENUMERATION : Kvm.VIRTUAL_MITIGATION_ENUM, value);
        return MsrResult.WRITTEN;
    }

    private static boolean shown(Vcpu v) {
        return (v.state().kvm(Kvm.ARCH_CAPABILITIES) & ArchCapabilities.VIRTUAL_ENUM) != 0;
    }

    private static boolean enumerated(Vcpu v) {
        return (v.state().kvm(Kvm.VIRTUAL_ENUMERATION) & CTRL_SUPPORT) != 0;
    }

    /// What userspace forces comes first; the rest is computed anew, so that a bit taken back lifts its force.
    private boolean control(Vcpu v, long used, boolean hostInitiated) {
        if ((!hostInitiated && !enumerated(v)) || (used & ~MITIGATIONS) != 0) {
            return false;
        }
        long bits = hardwareBits(v, used);
        if (bits != 0 && vendor.specCtrlForce().by() != By.SHADOW) {
            SpecCtrl.intercept(v, true);
        }
        long mask = v.machine().vm().forceMask() | v.state().kvm(Kvm.REQUESTED_MASK);
        long value = v.machine().vm().forceValue() | v.state().kvm(Kvm.REQUESTED_VALUE);
        bits &= ~mask;
        boolean writesMask = v.setup().policy().mechanisms().mitigationMsrs().writesMask();
        specCtrl.force(v, mask | bits, value | bits, writesMask);
        v.set(Kvm.VIRTUAL_MITIGATION_CTRL, used);
        return true;
    }

    /// The bits of SPEC_CTRL that this host needs where a guest relies on its software.
    static long hardwareBits(Vcpu v, long used) {
        long host = v.setup().platform().archCapabilities();
        boolean bhi =
                v.setup().platform().has("BHI_CTRL")
                        && (host & Bits.msrBit(Msrs.ARCH_CAPABILITIES, "BHI_NO")) == 0;
        boolean rrsba =
                v.setup().platform().has("RRSBA_CTRL")
                        && (host & Bits.msrBit(Msrs.ARCH_CAPABILITIES, "RRSBA")) != 0;
        long bits = 0;
        if ((used & BHB_CLEAR_SEQ) != 0 && bhi) {
            bits |= Bits.msrBit(Msrs.SPEC_CTRL, "BHI_DIS_S");
        }
        if ((used & RETPOLINE) != 0 && rrsba) {
            bits |= Bits.msrBit(Msrs.SPEC_CTRL, "RRSBA_DIS_S");
        }
        return bits;
    }
}

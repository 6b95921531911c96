package trapline.engine.exit;

import java.util.List;
import java.util.function.Predicate;
import trapline.engine.cpu.HardwareMsrs;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.Kvm;
import trapline.engine.event.Reg;
import trapline.engine.policy.Policy.Access;
import trapline.engine.policy.Policy.Commands;
import trapline.engine.state.RegisterMap;
import trapline.engine.state.Vendor;
import trapline.engine.table.Bits;
import trapline.engine.table.Msrs;

/// KVM's emulation of MSR accesses that exit, and of userspace's.
final class MsrAccess {

    private static final long IBPB = 1;
    private static final long SBPB = Bits.msrBit(Msrs.PRED_CMD, "SBPB");
    private static final long EFER_SCE = 1;
    private static final long EFER_LME = 1 << 8;
    private static final long EFER_LMA = 1 << 10;
    private static final long EFER_NX = 1 << 11;
    private static final long EFER_SVME = 1 << 12;
    private static final long EFER_AUTOIBRS = 1 << 21;
    private static final long VIRT_SSBD = 1 << 2;

    private static final long CR0_PG = 1L << 31;

    private static final int[] BITMAP_RANGES = {0, 0xc000_0000, 0xc001_0000};
    private static final int BITMAP_RANGE = 0x2000;

    private final VendorCode vendor;
    private final SpecCtrl specCtrl;
    private final UserReturn userReturn;
    private final List<MsrFamily> families;

    /// @param families who is asked for an MSR, in order; SPEC_CTRL is among them
    MsrAccess(
            VendorCode vendor, SpecCtrl specCtrl, UserReturn userReturn, List<MsrFamily> families) {
        this.vendor = vendor;
        this.specCtrl = specCtrl;
        this.userReturn = userReturn;
        this.families = List.copyOf(families);
    }

    /// What is passed through once the vCPU model is known.
    void start(Vcpu v) {
        for (Access access : vendor.passThrough()) {
            Interception.pass(v, access.msr(), access.read(), access.write());
        }
        v.set(Kvm.ARCH_CAPABILITIES, v.setup().model().archCapabilities());
        for (MsrFamily family : families) {
            family.start(v);
        }
        Commands commands = v.setup().policy().commands();
        HardwareMsrs hardware = v.setup().hardware();
        if (commands.predCmdAtCpuid() && hardware.hasIbpb() && v.setup().guestHasPredCmd()) {
            Interception.pass(v, Msrs.PRED_CMD, false, true);
        }
        if (commands.flushCmd() && hardware.hasFlushCmd() && v.setup().model().has("FLUSH_L1D")) {
            Interception.pass(v, Msrs.FLUSH_CMD, false, true);
        }
    }

    /// After the filter changed: what it denies exits from now on, what it no longer denies passes again.
    void recalculate(Vcpu v) {
        v.set(Kvm.RECALC_INTERCEPTS, 0);
        boolean specCtrlAnew = v.setup().policy().specCtrl().recalculate().isPresent();
        for (int base : BITMAP_RANGES) {
            for (int msr = base; msr < base + BITMAP_RANGE; msr++) {
                boolean read = Interception.wanted(v, msr, false);
                boolean write = Interception.wanted(v, msr, true);
                if ((read || write) && !(specCtrlAnew && msr == Msrs.SPEC_CTRL)) {
                    Interception.set(v, msr, !read, !write);
                }
            }
        }
        if (specCtrlAnew) {
            specCtrl.recalculate(v);
        }
        boolean mergesAtOnce = v.setup().policy().mechanisms().msrFilter().mergesAtOnce();
        if (mergesAtOnce && v.state().level() == 2) {
            vendor.mergeBitmaps(v);
        }
    }

    /// RDMSR by the guest, or KVM_GET_MSRS.
    MsrResult read(Vcpu v, int msr, boolean hostInitiated) {
        if (!hostInitiated && v.machine().vm().msrFilter().denies(msr, false)) {
            return MsrResult.FILTERED;
        }
        for (MsrFamily family : families) {
            if (family.covers(msr)) {
                return family.read(v, msr, hostInitiated);
            }
        }
        if (msr == Msrs.PRED_CMD || msr == Msrs.FLUSH_CMD) {
            return MsrResult.INVALID;
        }
        if (msr == Msrs.ARCH_CAPABILITIES) {
            return MsrResult.readIf(
                    hostInitiated || v.setup().model().has("ARCH_CAPABILITIES"),
                    v.state().kvm(Kvm.ARCH_CAPABILITIES));
        }
        if (msr == Msrs.VIRT_SPEC_CTRL) {
            return MsrResult.readIf(
                    hostInitiated || v.setup().model().has("VIRT_SSBD"),
                    v.state().kvm(Kvm.VIRT_SPEC_CTRL));
        }
        if (msr == Msrs.TSC) {
            return MsrResult.read(v.setup().world().timestamp(v.state(), v.out()));
        }
        return known(v, msr) ? MsrResult.read(v.state().msr(msr)) : MsrResult.UNSUPPORTED;
    }

    /// WRMSR by the guest, or KVM_SET_MSRS.
    MsrResult write(Vcpu v, int msr, long value, boolean hostInitiated) {
        if (!hostInitiated && v.machine().vm().msrFilter().denies(msr, true)) {
            return MsrResult.FILTERED;
        }
        for (MsrFamily family : families) {
            if (family.covers(msr)) {
                return family.write(v, msr, value, hostInitiated);
            }
        }
        if (msr == Msrs.PRED_CMD) {
            return MsrResult.writtenIf(predCmd(v, value, hostInitiated));
        }
        if (msr == Msrs.FLUSH_CMD) {
            return MsrResult.writtenIf(flushCmd(v, value, hostInitiated));
        }
        if (msr == Msrs.ARCH_CAPABILITIES) {
            return MsrResult.writtenIf(archCapabilities(v, value, hostInitiated));
        }
        if (msr == Msrs.VIRT_SPEC_CTRL) {
            return MsrResult.writtenIf(virtSpecCtrl(v, value, hostInitiated));
        }
        if (!known(v, msr)) {
            return MsrResult.UNSUPPORTED;
        }
        if ((msr == Msrs.EFER && !eferAccepted(v, value, hostInitiated))
                || !v.setup().hardware().accepts(msr, value)) {
            return MsrResult.INVALID;
        }
        Reg register = RegisterMap.register(msr);
        if (register != null) {
            long stored =
                    msr == Msrs.EFER
                            ? (value & ~EFER_LMA) | (v.state().register(Reg.EFER) & EFER_LMA)
                            : value;
            vendor.storeRegister(v, msr, register, stored);
        }
        userReturn.store(v, msr, value);
        return MsrResult.WRITTEN;
    }

    private boolean predCmd(Vcpu v, long value, boolean hostInitiated) {
        Commands commands = v.setup().policy().commands();
        HardwareMsrs hardware = v.setup().hardware();
        if (!hostInitiated && !v.setup().guestHasPredCmd()) {
            return false;
        }
        long allowed = hardware.hasIbpb() ? IBPB : 0;
        if (commands.sbpb()) {
            boolean guestIbpb =
                    v.setup().model().has("SPEC_CTRL") || v.setup().model().has("AMD_IBPB");
            allowed &= hostInitiated || guestIbpb ? IBPB : 0;
            allowed |=
                    hardware.hasSbpb() && (hostInitiated || v.setup().model().has("SBPB"))
                            ? SBPB
                            : 0;
        }
        if ((value & ~allowed) != 0 || (!commands.sbpb() && !hardware.hasIbpb())) {
            return false;
        }
        if (value != 0) {
            v.hostWrite(Msrs.PRED_CMD, value, HostCause.GUEST_WRITE);
            if (!commands.predCmdAtCpuid()) {
                Interception.pass(v, Msrs.PRED_CMD, false, true);
            }
        }
        return true;
    }

    private static boolean flushCmd(Vcpu v, long value, boolean hostInitiated) {
        boolean guestHas = hostInitiated || v.setup().model().has("FLUSH_L1D");
        if (!v.setup().policy().commands().flushCmd()
                || !guestHas
                || !v.setup().hardware().hasFlushCmd()
                || (value & ~1L) != 0) {
            return false;
        }
        if (value != 0) {
            v.hostWrite(Msrs.FLUSH_CMD, value, HostCause.GUEST_WRITE);
        }
        return true;
    }

    private static boolean archCapabilities(Vcpu v, long value, boolean hostInitiated) {
        if (!hostInitiated) {
            return false;
        }
        v.set(Kvm.ARCH_CAPABILITIES, value);
        return true;
    }

    private static boolean virtSpecCtrl(Vcpu v, long value, boolean hostInitiated) {
        if (v.state().vendor() != Vendor.SVM
                || (!hostInitiated && !v.setup().model().has("VIRT_SSBD"))
                || (value & ~VIRT_SSBD) != 0) {
            return false;
        }
        v.set(Kvm.VIRT_SPEC_CTRL, value);
        return true;
    }

    /// `set_efer`: a guest has the bits of its CPUID, and LME only while it does not page; userspace is trusted.
    private static boolean eferAccepted(Vcpu v, long value, boolean hostInitiated) {
        long lme = (value ^ v.state().register(Reg.EFER)) & EFER_LME;
        boolean paging = (v.state().register(Reg.CR0) & CR0_PG) != 0;
        return (value & ~eferBits(v, hostInitiated)) == 0 && (hostInitiated || lme == 0 || !paging);
    }

    /// The bits of EFER that are not reserved.
    private static long eferBits(Vcpu v, boolean hostInitiated) {
        Predicate<String> has = hostInitiated ? v.setup().platform()::has : v.setup().model()::has;
        long bits = EFER_SCE | EFER_LME | EFER_LMA;
        bits |= has.test("NX") ? EFER_NX : 0;
        bits |= has.test("SVM") ? EFER_SVME : 0;
        return bits | (has.test("AUTOIBRS") ? EFER_AUTOIBRS : 0);
    }

    /// Whether KVM keeps a value for the MSR: its lists, and what its code handles besides.
    private static boolean known(Vcpu v, int msr) {
        return Msrs.tracked(msr)
                || RegisterMap.register(msr) != null
                || msr == Msrs.VM_HSAVE_PA
                || v.state().hasMsr(msr)
                || isMtrrOrApicBase(msr);
    }

    private static boolean isMtrrOrApicBase(int msr) {
        return msr == 0x1b || msr == 0xfe || (msr >= 0x200 && msr <= 0x2ff);
    }
}

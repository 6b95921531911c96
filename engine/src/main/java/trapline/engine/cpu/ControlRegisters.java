package trapline.engine.cpu;

import java.util.function.Predicate;
import trapline.engine.event.Kvm;
import trapline.engine.event.Reg;
import trapline.engine.state.VcpuState;
import trapline.engine.state.Vendor;

/// Which values control and debug registers take; any other raises #GP (SDM vol. 2, MOV; APM vol. 2, chapter 3).
///
/// The silicon asks it about its own features, KVM about those that the guest is shown (`kvm_set_cr0`,
/// `kvm_set_cr4`, `kvm_set_xcr`).
public final class ControlRegisters {

    private static final long CR0_PE = 1;
    private static final long CR0_NE = 1 << 5;
    private static final long CR0_WP = 1 << 16;
    private static final long CR0_NW = 1 << 29;
    private static final long CR0_CD = 1 << 30;
    private static final long CR0_PG = 1L << 31;
    private static final long CR4_PAE = 1 << 5;
    private static final long CR4_VMXE = 1 << 13;
    private static final long CR4_PCIDE = 1 << 17;
    private static final long CR4_CET = 1 << 23;
    private static final long CR3_NO_FLUSH = 1L << 63;
    private static final long EFER_LMA = 1 << 10;

    /// VME, PVI, TSD, DE, PSE, PAE, MCE, PGE, PCE, OSFXSR, OSXMMEXCPT.
    private static final long CR4_COMMON = 0x7ff;

    private static final long XCR0_X87 = 1;
    private static final long XCR0_SSE = 2;
    private static final long XCR0_AVX = 4;
    private static final long XCR0_AVX512 = 0xe0;

    private ControlRegisters() {}

    public static boolean accept(int cr, long value, VcpuState vcpu, Predicate<String> has) {
        return switch (cr) {
            case 0 -> cr0(value, vcpu);
            case 3 -> cr3(value, vcpu);
            case 4 -> cr4(value, vcpu, has);
            case 8 -> value >>> 4 == 0;
            default -> true;
        };
    }

    private static boolean cr0(long value, VcpuState vcpu) {
        long cr4 = vcpu.register(Reg.CR4);
        return value >>> 32 == 0
                && (lacks(value, CR0_PG) || !lacks(value, CR0_PE))
                && (lacks(value, CR0_NW) || !lacks(value, CR0_CD))
                && (!lacks(value, CR0_PG) || (!longMode(vcpu) && lacks(cr4, CR4_PCIDE)))
                && (!lacks(value, CR0_WP) || lacks(cr4, CR4_CET))
                && (!lacks(value, CR0_NE) || !vcpu.is(Kvm.VMXON));
    }

    private static boolean cr3(long value, VcpuState vcpu) {
        boolean noFlush = !lacks(vcpu.register(Reg.CR4), CR4_PCIDE);
        long reserved = beyondMemory(vcpu.vendor()) & ~(noFlush ? CR3_NO_FLUSH : 0);
        return (value & reserved) == 0;
    }

    private static boolean cr4(long value, VcpuState vcpu, Predicate<String> has) {
        long set = value & ~vcpu.register(Reg.CR4);
        boolean pcidAllowed = longMode(vcpu) && (vcpu.register(Reg.CR3) & 0xfff) == 0;
        return (value & cr4Reserved(has)) == 0
                && (!lacks(value, CR4_PAE) || !longMode(vcpu))
                && (lacks(set, CR4_PCIDE) || pcidAllowed)
                && (lacks(value, CR4_CET) || !lacks(vcpu.register(Reg.CR0), CR0_WP))
                && (!lacks(value, CR4_VMXE) || !vcpu.is(Kvm.VMXON));
    }

    /// The bits of CR4 that stand for features which are not there.
    public static long cr4Reserved(Predicate<String> has) {
        long known = CR4_COMMON;
        known |= has.test("UMIP") ? 1 << 11 : 0;
        known |= has.test("VMX") ? CR4_VMXE : 0;
        known |= has.test("FSGSBASE") ? 1 << 16 : 0;
        known |= has.test("PCID") ? CR4_PCIDE : 0;
        known |= has.test("XSAVE") ? 1 << 18 : 0;
        known |= has.test("SMEP") ? 1 << 20 : 0;
        known |= has.test("SMAP") ? 1 << 21 : 0;
        known |= has.test("SHSTK") || has.test("IBT") ? CR4_CET : 0;
        return ~known;
    }

    /// DR6 and DR7 have 32 bits.
    public static boolean acceptDebug(int dr, long value) {
        return dr < 4 || value >>> 32 == 0;
    }

    /// XSETBV: x87 always, AVX with SSE, AVX-512 whole and with AVX.
    public static boolean acceptExtended(int xcr, long value) {
        long avx512 = value & XCR0_AVX512;
        return xcr == 0
                && (value & ~(XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512)) == 0
                && !lacks(value, XCR0_X87)
                && (lacks(value, XCR0_AVX) || !lacks(value, XCR0_SSE))
                && (avx512 == 0 || (avx512 == XCR0_AVX512 && !lacks(value, XCR0_AVX)));
    }

    /// Address bits that no memory of these processors has: 46 are there on Intel, 48 on AMD.
    public static long beyondMemory(Vendor vendor) {
        return -1L << (vendor == Vendor.VMX ? 46 : 48);
    }

    private static boolean longMode(VcpuState vcpu) {
        return !lacks(vcpu.register(Reg.EFER), EFER_LMA);
    }

    private static boolean lacks(long value, long bit) {
        return (value & bit) == 0;
    }
}

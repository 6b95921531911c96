package trapline.engine.cpu.svm;

import trapline.engine.cpu.GuestOp;

/// Exit codes by number (APM vol. 2, appendix C) and what goes with them.
public final class SvmExit {

    // spotless:off
    public static final long WRITE_CR0 = 0x10, WRITE_CR3 = 0x13, WRITE_CR4 = 0x14, WRITE_CR8 = 0x18;
    public static final long WRITE_DR0 = 0x30, EXCEPTION = 0x40;
    public static final long INTR = 0x60, CR0_SEL_WRITE = 0x65, RDTSC = 0x6e, CPUID = 0x72;
    public static final long PAUSE = 0x77, HLT = 0x78, INVLPG = 0x79, IOIO = 0x7b, MSR = 0x7c;
    public static final long VMRUN = 0x80, VMMCALL = 0x81, VMLOAD = 0x82, VMSAVE = 0x83;
    public static final long XSETBV = 0x8d, INVPCID = 0xa2, IDLE_HLT = 0xa6, NPF = 0x400;
    public static final long INVALID = -1;
    // spotless:on

    static final int UD_VECTOR = 6, PF_VECTOR = 14;

    private SvmExit() {}

    /// EXITINFO1 of IN and OUT: direction in bit 0, size in bits 6:4, 64-bit address in bit 9, port.
    public static long ioInfo(GuestOp.Io op) {
        return (op.write() ? 0 : 1) | ((long) op.size() << 4) | (1 << 9) | ((long) op.port() << 16);
    }

    /// EXITINFO1 of a page fault: present (a reserved bit in the entry), write; a nested one is by a user, and final.
    static long pageFaultInfo(boolean reserved, boolean write, boolean nested) {
        long either = (reserved ? 1 | 1 << 3 : 0) | (write ? 1 << 1 : 0);
        return nested ? either | (1 << 2) | (1L << 32) : either;
    }
}

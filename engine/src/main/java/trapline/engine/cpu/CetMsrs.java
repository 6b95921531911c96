package trapline.engine.cpu;

import trapline.engine.table.Msrs;

/// Which values the MSRs of control-flow enforcement take (FACTS 4.5).
public final class CetMsrs {

    private static final long SHADOW_STACK_BITS = 0x3;
    private static final long RESERVED = 0x3c0 | 0x3000;
    private static final long SUPPRESS = 1 << 10;
    private static final long WAIT_ENDBR = 1 << 11;

    private CetMsrs() {}

    public static boolean isOne(int msr) {
        return isControl(msr) || (msr >= Msrs.PL0_SSP && msr <= Msrs.INT_SSP_TAB);
    }

    /// Whether it is U_CET or S_CET, not a pointer.
    public static boolean isControl(int msr) {
        return msr == Msrs.U_CET || msr == Msrs.S_CET;
    }

    /// @param shadowStacks whether the bits of shadow stacks are there, `branchTracking` those of IBT
    /// @param canonicalBitmap whether the bitmap's address in U_CET and S_CET has to be canonical; KVM does not ask
    public static boolean valid(
            int msr,
            long value,
            boolean shadowStacks,
            boolean branchTracking,
            boolean canonicalBitmap) {
        if (isControl(msr)) {
            long allowed = (shadowStacks ? SHADOW_STACK_BITS : 0);
            allowed |= branchTracking ? ~SHADOW_STACK_BITS : 0;
            boolean both = (value & SUPPRESS) != 0 && (value & WAIT_ENDBR) != 0;
            return (value & RESERVED) == 0
                    && (value & ~allowed) == 0
                    && !both
                    && (!canonicalBitmap || HardwareMsrs.canonical(value));
        }
        return HardwareMsrs.canonical(value) && (msr == Msrs.INT_SSP_TAB || (value & 3) == 0);
    }
}

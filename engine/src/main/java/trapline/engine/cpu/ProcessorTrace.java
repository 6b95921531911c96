package trapline.engine.cpu;

import java.util.List;
import trapline.engine.table.Msrs;
import trapline.engine.text.Node;

/// What Intel Processor Trace can do, as CPUID leaf 0x14 says it (SDM vol. 3C, Intel Processor Trace).
///
/// @param inVmx whether it may be used in VMX operation (VMX_MISC bit 14)
/// @param ebx capabilities in EBX of subleaf 0
/// @param ecx those in ECX: ways of output
/// @param ranges how many pairs of ADDRn_A and ADDRn_B there are
/// @param mtcPeriods one bit for each encoding of MTCFreq
/// @param cycleThresholds one bit for each encoding of CycThresh
/// @param psbPeriods one bit for each encoding of PSBFreq
public record ProcessorTrace(
        boolean inVmx,
        int ebx,
        int ecx,
        int ranges,
        int mtcPeriods,
        int cycleThresholds,
        int psbPeriods) {

    /// A processor, or a guest, without it.
    public static final ProcessorTrace NONE = new ProcessorTrace(false, 0, 0, 0, 0, 0, 0);

    /// Bit 0 of RTIT_CTL: it traces.
    public static final long TRACE_EN = 1;

    private static final int MOST_RANGES = 4;

    private static final int CR3_FILTER = 1;
    private static final int PSB_AND_CYCLES = 1 << 1;
    private static final int MTC = 1 << 3;
    private static final int PTWRITE = 1 << 4;
    private static final int POWER_EVENTS = 1 << 5;

    private static final int TOPA = 1;
    private static final int SINGLE_RANGE = 1 << 2;
    private static final int FABRIC = 1 << 3;

    /// TraceEn, OS, User, TSCEn, DisRETC and BranchEn, which depend on nothing.
    private static final long CTL_ALWAYS = 0x1 | 0x4 | 0x8 | 0x400 | 0x800 | 0x2000;

    private static final long CTL_CYCLES = 0x2 | 0xf << 19 | 0xf << 24;
    private static final long CTL_POWER = 0x10;
    private static final long CTL_PTWRITE = 0x20 | 0x1000;
    private static final long CTL_FABRIC = 0x40;
    private static final long CTL_CR3_FILTER = 0x80;
    private static final long CTL_TOPA = 0x100;
    private static final long CTL_MTC = 0x200 | 0xf << 14;
    private static final int CTL_RANGES_AT = 32;

    static final List<String> KEYS =
            List.of(
                    "in-vmx",
                    "ebx",
                    "ecx",
                    "ranges",
                    "mtc-periods",
                    "cycle-thresholds",
                    "psb-periods");

    /// The key `processor-trace` of a platform.
    static ProcessorTrace read(Node node) {
        node.allow("processor-trace", KEYS);
        return new ProcessorTrace(
                node.require("in-vmx").bool(),
                (int) node.require("ebx").number(0, 0xffff_ffffL),
                (int) node.require("ecx").number(0, 0xffff_ffffL),
                (int) node.require("ranges").number(0, MOST_RANGES),
                (int) node.require("mtc-periods").number(0, 0xffff),
                (int) node.require("cycle-thresholds").number(0, 0xffff),
                (int) node.require("psb-periods").number(0, 0xffff));
    }

    /// As [#read] takes it.
    String text() {
        return "{in-vmx: %b, ebx: 0x%x, ecx: 0x%x, ranges: %d, mtc-periods: 0x%x, cycle-thresholds: 0x%x, psb-periods: 0x%x}"
                .formatted(inVmx, ebx, ecx, ranges, mtcPeriods, cycleThresholds, psbPeriods);
    }

    /// EAX, EBX, ECX and EDX of leaf 0x14.
    int[] cpuid(int subleaf) {
        return switch (subleaf) {
            case 0 -> new int[] {1, ebx, ecx, 0};
            case 1 ->
                    new int[] {ranges | mtcPeriods << 16, cycleThresholds | psbPeriods << 16, 0, 0};
            default -> new int[4];
        };
    }

    /// The MSRs that are switched with a trace, in KVM's order: all but RTIT_CTL.
    public int[] set() {
        int[] msrs = new int[4 + 2 * ranges];
        msrs[0] = Msrs.RTIT_STATUS;
        msrs[1] = Msrs.RTIT_OUTPUT_BASE;
        msrs[2] = Msrs.RTIT_OUTPUT_MASK;
        msrs[3] = Msrs.RTIT_CR3_MATCH;
        for (int i = 0; i < 2 * ranges; i++) {
            msrs[4 + i] = Msrs.RTIT_ADDR0_A + i;
        }
        return msrs;
    }

    public boolean cr3Filter() {
        return (ebx & CR3_FILTER) != 0;
    }

    /// Whether OUTPUT_BASE and OUTPUT_MASK mean anything.
    public boolean toMemory() {
        return (ecx & (TOPA | SINGLE_RANGE)) != 0;
    }

    /// Whether a PT MSR is there.
    public boolean has(int msr) {
        if (msr == Msrs.RTIT_CR3_MATCH) {
            return cr3Filter();
        }
        if (msr == Msrs.RTIT_OUTPUT_BASE || msr == Msrs.RTIT_OUTPUT_MASK) {
            return toMemory();
        }
        return msr < Msrs.RTIT_ADDR0_A || msr < Msrs.RTIT_ADDR0_A + 2 * ranges;
    }

    /// The bits of RTIT_CTL that may be set.
    private long controls() {
        long bits = CTL_ALWAYS;
        bits |= cr3Filter() ? CTL_CR3_FILTER : 0;
        bits |= (ebx & PSB_AND_CYCLES) != 0 ? CTL_CYCLES : 0;
        bits |= (ebx & MTC) != 0 ? CTL_MTC : 0;
        bits |= (ebx & PTWRITE) != 0 ? CTL_PTWRITE : 0;
        bits |= (ebx & POWER_EVENTS) != 0 ? CTL_POWER : 0;
        bits |= (ecx & TOPA) != 0 ? CTL_TOPA : 0;
        bits |= (ecx & FABRIC) != 0 ? CTL_FABRIC : 0;
        return bits | ((1L << (4 * ranges)) - 1) << CTL_RANGES_AT;
    }

    /// Whether a value is valid in RTIT_CTL, whatever was there before (`vmx_rtit_ctl_check`).
    public boolean accepts(long control) {
        boolean somewhere = (control & (CTL_TOPA | CTL_FABRIC)) != 0 || (ecx & SINGLE_RANGE) != 0;
        return (control & ~(equals(NONE) ? 0 : controls())) == 0
                && ((control & TRACE_EN) == 0 || somewhere)
                && ((ebx & MTC) == 0 || encodes(mtcPeriods, control >>> 14))
                && ((ebx & PSB_AND_CYCLES) == 0
                        || (encodes(cycleThresholds, control >>> 19)
                                && encodes(psbPeriods, control >>> 24)))
                && rangesValid(control);
    }

    private static boolean encodes(int encodings, long field) {
        return (encodings >>> (field & 0xf) & 1) != 0;
    }

    private static boolean rangesValid(long control) {
        for (int i = 0; i < MOST_RANGES; i++) {
            if ((control >>> (CTL_RANGES_AT + 4 * i) & 0xf) > 2) {
                return false;
            }
        }
        return true;
    }
}

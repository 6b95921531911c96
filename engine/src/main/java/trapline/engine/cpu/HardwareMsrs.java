package trapline.engine.cpu;

import trapline.engine.state.Vendor;
import trapline.engine.table.Bits;
import trapline.engine.table.Msrs;

/// Which MSRs the silicon has, and which values it accepts in them: what else raises #GP.
public final class HardwareMsrs {

    /// All but FilterEn, ContextEn, TriggerEn, Error, Stopped and PacketByteCnt.
    private static final long TRACE_STATUS_RESERVED = ~0x0001_ffff_0000_0037L;

    private static final long TRACE_OUTPUT_ALIGNMENT = 0x7f;
    private static final long PHYSICAL_RESERVED = ControlRegisters.beyondMemory(Vendor.VMX);

    private final long specCtrlBits;
    private final long predCmdBits;
    private final long flushCmdBits;
    private final boolean specCtrl;
    private final boolean archCapabilities;
    private final boolean virtSpecCtrl;
    private final ProcessorTrace trace;
    private final boolean shadowStacks;
    private final boolean branchTracking;
    private final long xssBits;

    public HardwareMsrs(Platform platform) {
        specCtrlBits = specCtrlBits(platform);
        specCtrl = specCtrlBits != 0;
        predCmdBits =
                (platform.has("SPEC_CTRL") || platform.has("AMD_IBPB") ? 1 : 0)
                        | (platform.has("SBPB") ? Bits.msrBit(Msrs.PRED_CMD, "SBPB") : 0);
        flushCmdBits = platform.has("FLUSH_L1D") ? 1 : 0;
        archCapabilities = platform.has("ARCH_CAPABILITIES");
        virtSpecCtrl = platform.has("VIRT_SSBD");
        trace = platform.trace();
        shadowStacks = platform.has("SHSTK");
        branchTracking = platform.has("IBT");
        xssBits = platform.extendedStates().known() ? platform.extendedStates().supervisor() : -1;
    }

    /// Each bit by its own CPUID enumeration.
    private static long specCtrlBits(Platform platform) {
        String[][] bits = {
            {"IBRS", "SPEC_CTRL", "AMD_IBRS"},
            {"STIBP", "INTEL_STIBP", "AMD_STIBP"},
            {"SSBD", "SPEC_CTRL_SSBD", "AMD_SSBD"},
            {"IPRED_DIS_U", "IPRED_CTRL"},
            {"IPRED_DIS_S", "IPRED_CTRL"},
            {"RRSBA_DIS_U", "RRSBA_CTRL"},
            {"RRSBA_DIS_S", "RRSBA_CTRL"},
            {"PSFD", "INTEL_PSFD", "AMD_PSFD"},
            {"DDPD_U", "DDPD_U"},
            {"BHI_DIS_S", "BHI_CTRL"}
        };
        long accepted = 0;
        for (String[] bit : bits) {
            for (int i = 1; i < bit.length; i++) {
                if (platform.has(bit[i])) {
                    accepted |= Bits.msrBit(Msrs.SPEC_CTRL, bit[0]);
                }
            }
        }
        return accepted;
    }

    /// Whether the silicon has IA32_SPEC_CTRL.
    public boolean hasSpecCtrl() {
        return specCtrl;
    }

    public boolean hasIbpb() {
        return (predCmdBits & 1) != 0;
    }

    public boolean hasSbpb() {
        return (predCmdBits & ~1L) != 0;
    }

    public boolean hasFlushCmd() {
        return flushCmdBits != 0;
    }

    /// Whether RDMSR is executed rather than faulting: the commands are there for writing only.
    public boolean readable(int msr) {
        if (Msrs.trace(msr)) {
            return traces(msr);
        }
        if (!modelled(msr)) {
            return true;
        }
        return (msr == Msrs.SPEC_CTRL && specCtrl)
                || (msr == Msrs.ARCH_CAPABILITIES && archCapabilities)
                || (msr == Msrs.VIRT_SPEC_CTRL && virtSpecCtrl);
    }

    /// Whether WRMSR of this value is executed rather than faulting.
    public boolean accepts(int msr, long value) {
        if (msr == Msrs.SPEC_CTRL) {
            return specCtrl && (value & ~specCtrlBits) == 0;
        }
        if (msr == Msrs.PRED_CMD) {
            return predCmdBits != 0 && (value & ~predCmdBits) == 0;
        }
        if (msr == Msrs.FLUSH_CMD) {
            return flushCmdBits != 0 && (value & ~flushCmdBits) == 0;
        }
        if (msr == Msrs.ARCH_CAPABILITIES) {
            return false;
        }
        if (msr == Msrs.VIRT_SPEC_CTRL) {
            return virtSpecCtrl && (value & ~4L) == 0;
        }
        if (msr == Msrs.PAT) {
            return validPat(value);
        }
        if (Msrs.trace(msr)) {
            return traces(msr) && validTrace(msr, value, trace);
        }
        if (msr == Msrs.XSS) {
            return (value & ~xssBits) == 0;
        }
        if (CetMsrs.isOne(msr) && (shadowStacks || branchTracking)) {
            return CetMsrs.valid(msr, value, shadowStacks, branchTracking, true);
        }
        return !isAddress(msr) || canonical(value);
    }

    private boolean traces(int msr) {
        return !trace.equals(ProcessorTrace.NONE) && trace.has(msr);
    }

    /// What a PT MSR that is there takes while nothing is traced (SDM vol. 3C, Intel Processor Trace; FACTS 4.4).
    public static boolean validTrace(int msr, long value, ProcessorTrace trace) {
        if (msr == Msrs.RTIT_CTL) {
            return trace.accepts(value);
        }
        if (msr == Msrs.RTIT_STATUS) {
            return (value & TRACE_STATUS_RESERVED) == 0;
        }
        if (msr == Msrs.RTIT_OUTPUT_BASE) {
            return (value & (PHYSICAL_RESERVED | TRACE_OUTPUT_ALIGNMENT)) == 0;
        }
        return msr < Msrs.RTIT_ADDR0_A || canonical(value);
    }

    /// MSRs that hold linear addresses (SDM vol. 2, WRMSR).
    private static boolean isAddress(int msr) {
        return msr == Msrs.FS_BASE
                || msr == Msrs.GS_BASE
                || msr == Msrs.KERNEL_GS_BASE
                || msr == Msrs.LSTAR
                || msr == Msrs.CSTAR
                || msr == Msrs.SYSENTER_ESP
                || msr == Msrs.SYSENTER_EIP;
    }

    /// Whether each of PAT's eight entries is one of the memory types there are.
    public static boolean validPat(long pat) {
        for (int shift = 0; shift < 64; shift += 8) {
            long type = pat >>> shift & 0xff;
            if (type > 7 || type == 2 || type == 3) {
                return false;
            }
        }
        return true;
    }

    /// Whether an address has 48 significant bits.
    public static boolean canonical(long address) {
        return address << 16 >> 16 == address;
    }

    /// Whether what an MSR does is modelled in full, so that no imported log has to say it.
    public static boolean modelled(int msr) {
        return msr == Msrs.SPEC_CTRL
                || msr == Msrs.PRED_CMD
                || msr == Msrs.FLUSH_CMD
                || msr == Msrs.ARCH_CAPABILITIES
                || msr == Msrs.VIRT_SPEC_CTRL;
    }
}

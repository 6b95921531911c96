package trapline.engine.exit;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import trapline.engine.cpu.Platform;
import trapline.engine.cpu.Platform.Host.Trace;
import trapline.engine.cpu.ProcessorTrace;
import trapline.engine.event.Reg;
import trapline.engine.policy.Policy;
import trapline.engine.table.Msrs;
import trapline.engine.table.StateComponents;

/// The host's own registers and MSRs, and where its structures lie: as a Linux has them, made up but constant.
public final class HostValues {

    // spotless:off
    public static final long CR0 = 0x8005_0033L;
    public static final long CR3 = 0x1_0000_0000L;
    public static final long CR4 = 0x77_2ef0L;
    public static final long EFER = 0xd01L;
    public static final long PAT = 0x0407_0506_0007_0106L;
    public static final long RIP = 0xffff_ffff_81c0_0000L;
    public static final long RSP = 0xffff_c900_0000_3ff8L;
    public static final long IDTR_BASE = 0xffff_fe00_0000_0000L;
    public static final long STAR = 0x23_0010_0000_0000L;
    public static final long LSTAR = 0xffff_ffff_81a0_0080L;
    public static final long CSTAR = 0xffff_ffff_81a0_1700L;
    public static final long SYSCALL_MASK = 0x25_7fd5L;
    public static final long SYSENTER_EIP = 0xffff_ffff_81a0_1600L;
    public static final long USER_GS_BASE = 0;
    public static final long USER_FS_BASE = 0x7f00_0000_0740L;
    public static final long PASID = 0x8000_0005L;
    public static final long HWP_REQUEST = 0x8000_2d08L;
    // spotless:on

    /// OS, User, ToPA, TSCEn and BranchEn, as `perf record -e intel_pt//` has them.
    private static final long TRACE_CTL = 0x250c;

    private static final long TRACE_MASK = 0x7f;
    public static final long TR_SELECTOR = 0x40;
    private static final long BUSY_TSS = 0x8b;
    private static final long TSS_LIMIT = 0x4087;
    private static final long PERCPU = 0xffff_8880_3f80_0000L;
    private static final long PAGES = 0x10_0000_0000L;
    private static final long TRACES = 0x20_0000_0000L;

    private HostValues() {}

    /// The host's GS base on a pCPU: its per-CPU area.
    public static long gsBase(int pcpu) {
        return PERCPU + ((long) pcpu << 21);
    }

    /// Where a pCPU's task-state segment lies.
    public static long trBase(int pcpu) {
        return gsBase(pcpu) + 0x3000;
    }

    /// The segment registers of a pCPU while only the host runs, of those that VMLOAD moves: all null but the task's.
    public static SortedMap<Reg, Long> segments(int pcpu) {
        SortedMap<Reg, Long> segments = new TreeMap<>();
        segments.put(Reg.TR_SELECTOR, TR_SELECTOR);
        segments.put(Reg.TR_ATTRIBUTES, BUSY_TSS);
        segments.put(Reg.TR_LIMIT, TSS_LIMIT);
        segments.put(Reg.TR_BASE, trBase(pcpu));
        return Collections.unmodifiableSortedMap(segments);
    }

    /// A host page that KVM allocated for a vCPU: `kind` tells its pages apart.
    public static long page(int vcpu, int kind) {
        return PAGES + ((long) vcpu << 20) + ((long) kind << 14);
    }

    /// The MSRs of a pCPU while only the host runs.
    public static SortedMap<Integer, Long> msrs(Platform platform, Policy policy, int pcpu) {
        SortedMap<Integer, Long> msrs = new TreeMap<>();
        msrs.put(Msrs.STAR, STAR);
        msrs.put(Msrs.LSTAR, LSTAR);
        msrs.put(Msrs.CSTAR, CSTAR);
        msrs.put(Msrs.SYSCALL_MASK, SYSCALL_MASK);
        msrs.put(Msrs.EFER, EFER);
        msrs.put(Msrs.PAT, PAT);
        msrs.put(Msrs.FS_BASE, 0L);
        msrs.put(Msrs.GS_BASE, gsBase(pcpu));
        msrs.put(Msrs.KERNEL_GS_BASE, USER_GS_BASE);
        msrs.put(Msrs.SYSENTER_CS, 0x10L);
        msrs.put(Msrs.SYSENTER_EIP, SYSENTER_EIP);
        msrs.put(Msrs.TSC_AUX, 0L);
        msrs.put(Msrs.SPEC_CTRL, Setup.hostSpecCtrl(platform, policy));
        if (platform.host().trace() != Trace.OFF) {
            trace(platform, pcpu, msrs);
        }
        putUnlessZero(msrs, Msrs.XSS, SupervisorState.hostXss(platform, policy));
        putUnlessZero(msrs, Msrs.S_CET, platform.extendedStates().hostSCet());
        long supervisor = platform.extendedStates().supervisor();
        for (int msr : StateComponents.msrs(supervisor)) {
            if (msr == Msrs.PASID) {
                msrs.put(msr, PASID);
            } else if (msr == Msrs.HWP_REQUEST) {
                msrs.put(msr, HWP_REQUEST);
            }
        }
        if (platform.host().ssbd() && VirtSpecCtrl.isThere(platform)) {
            msrs.put(VirtSpecCtrl.msr(platform), VirtSpecCtrl.value(platform, true));
        }
        return Collections.unmodifiableSortedMap(msrs);
    }

    /// The host's trace goes to tables of its own for each pCPU, of kernel and user mode, with branches.
    private static void trace(Platform platform, int pcpu, SortedMap<Integer, Long> msrs) {
        boolean tracing = platform.host().trace() == Trace.TRACING;
        for (int msr : platform.trace().set()) {
            msrs.put(msr, 0L);
        }
        msrs.put(Msrs.RTIT_CTL, TRACE_CTL | (tracing ? ProcessorTrace.TRACE_EN : 0));
        msrs.put(Msrs.RTIT_OUTPUT_BASE, TRACES + ((long) pcpu << 12));
        msrs.put(Msrs.RTIT_OUTPUT_MASK, TRACE_MASK);
    }

    private static void putUnlessZero(SortedMap<Integer, Long> msrs, int msr, long value) {
        if (value != 0) {
            msrs.put(msr, value);
        }
    }
}

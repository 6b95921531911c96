package trapline.engine.cpu.vmx;

import trapline.engine.cpu.GuestOp;
import trapline.engine.event.GuestEvent.EntryInstruction;
import trapline.engine.event.GuestEvent.VmInstruction;

/// Basic exit reasons by number (SDM vol. 3D, appendix C) and what goes with them.
public final class VmxReason {

    // spotless:off
    public static final long EXCEPTION_NMI = 0, EXTERNAL_INTERRUPT = 1, CPUID = 10, HLT = 12;
    public static final long INVLPG = 14, RDTSC = 16, VMCALL = 18;
    public static final long VMCLEAR = 19, VMLAUNCH = 20, VMPTRLD = 21, VMREAD = 23, VMRESUME = 24;
    public static final long VMWRITE = 25, VMOFF = 26, VMON = 27;
    public static final long CR_ACCESS = 28, DR_ACCESS = 29, IO_INSTRUCTION = 30;
    public static final long MSR_READ = 31, MSR_WRITE = 32, INVALID_STATE = 33, MSR_LOAD_FAIL = 34;
    public static final long PAUSE_INSTRUCTION = 40, APIC_ACCESS = 44;
    public static final long EPT_VIOLATION = 48, EPT_MISCONFIG = 49, XSETBV = 55, INVPCID = 58;
    public static final long XSAVES = 63, XRSTORS = 64;
    // spotless:on

    private VmxReason() {}

    /// The exit reason of a VMX instruction; -1 for what Intel does not have.
    static long of(VmInstruction instruction) {
        return switch (instruction) {
            case VMXON -> VMON;
            case VMXOFF -> VMOFF;
            case VMCLEAR -> VMCLEAR;
            case VMPTRLD -> VMPTRLD;
            case VMREAD -> VMREAD;
            case VMWRITE -> VMWRITE;
            case VMLOAD, VMSAVE -> -1;
        };
    }

    static long of(EntryInstruction instruction) {
        return switch (instruction) {
            case VMLAUNCH -> VMLAUNCH;
            case VMRESUME -> VMRESUME;
            case VMRUN -> -1;
        };
    }

    /// Size, direction and port, as IN and OUT with the port in DX report them.
    static long ioQualification(GuestOp.Io op) {
        return (op.size() - 1) | (op.write() ? 0 : 1 << 3) | ((long) op.port() << 16);
    }
}

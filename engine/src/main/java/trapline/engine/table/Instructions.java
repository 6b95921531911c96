package trapline.engine.table;

/// Lengths in bytes of the instructions a scenario executes (SDM vol. 2 and APM vol. 3, opcodes).
///
/// Forms with a memory operand are taken with one register and no displacement.
public final class Instructions {

    // spotless:off
    public static final int WRMSR = 2, RDMSR = 2, CPUID = 2, HLT = 1, RDTSC = 2, PAUSE = 2;
    public static final int IO = 1, MMIO = 3, VMCALL = 3, MOV_CR = 3, MOV_DR = 3, XSETBV = 3;
    public static final int INVLPG = 3, INVPCID = 5, STORE = 3;
    public static final int VMXON = 4, VMXOFF = 3, VMCLEAR = 4, VMPTRLD = 3, VMREAD = 3, VMWRITE = 3;
    public static final int VMLAUNCH = 3, VMRESUME = 3, VMRUN = 3, VMLOAD = 3, VMSAVE = 3;
    public static final int XSAVES = 3, XRSTORS = 3;
    // spotless:on

    private Instructions() {}
}

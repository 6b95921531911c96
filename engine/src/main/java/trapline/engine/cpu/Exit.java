package trapline.engine.cpu;

import trapline.engine.event.GuestEvent.EntryInstruction;
import trapline.engine.event.GuestEvent.StateInstruction;
import trapline.engine.event.GuestEvent.VmInstruction;

/// Why the guest stopped, free of vendor numbers: what handlers decide on.
public sealed interface Exit {

    record Rdmsr(int msr) implements Exit {}

    record Wrmsr(int msr, long value) implements Exit {}

    record Cpuid(int leaf, int subleaf) implements Exit {}

    record Hlt() implements Exit {}

    record Io(int port, int size, boolean write, long value) implements Exit {}

    /// A guest-physical access that the nested page tables do not map, or mark as device memory.
    record NestedPageFault(long address, int size, boolean write, long value) implements Exit {}

    record ApicAccess(long address, int size, boolean write, long value) implements Exit {}

    record Hypercall(boolean vmmcall, long number) implements Exit {}

    record CrWrite(int cr, long value) implements Exit {}

    record DrWrite(int dr, long value) implements Exit {}

    record Xsetbv(int xcr, long value) implements Exit {}

    record Pause() implements Exit {}

    /// #UD that the hypervisor intercepts.
    record UndefinedOpcode() implements Exit {}

    record ExternalInterrupt(int vector) implements Exit {}

    record VmOp(VmInstruction instruction, long operand, long value) implements Exit {}

    record EnterNested(EntryInstruction instruction, long address) implements Exit {}

    /// INVPCID, where SVM intercepts it: to hide it, or with shadow page tables.
    record Invpcid() implements Exit {}

    /// INVLPG, where SVM intercepts it: with shadow page tables, or for an L1.
    record Invlpg() implements Exit {}

    /// An instruction that only an L1 ever intercepts: RDTSC, or INVLPG on VMX.
    record OnlyNested() implements Exit {}

    /// XSAVES or XRSTORS that touches a component whose accesses exit.
    record MoveState(StateInstruction instruction, long mask) implements Exit {}
}

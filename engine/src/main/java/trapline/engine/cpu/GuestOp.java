package trapline.engine.cpu;

import trapline.engine.event.GuestEvent.EntryInstruction;
import trapline.engine.event.GuestEvent.StateInstruction;
import trapline.engine.event.GuestEvent.TlbInstruction;
import trapline.engine.event.GuestEvent.VmInstruction;
import trapline.engine.table.Instructions;

/// One thing that a guest does and that a hypervisor may care about; `rip` is where it stands.
public sealed interface GuestOp {

    long rip();

    /// The instruction's length in bytes.
    int length();

    /// Guest instructions that it counts for.
    default long ticks() {
        return 1;
    }

    record Run(long rip, long count) implements GuestOp {
        @Override
        public int length() {
            return 0;
        }

        @Override
        public long ticks() {
            return count;
        }
    }

    /// @param recorded whether an imported log says that the write was accepted
    record Wrmsr(long rip, int msr, long value, boolean recorded) implements GuestOp {
        public Wrmsr(long rip, int msr, long value) {
            this(rip, msr, value, false);
        }

        @Override
        public int length() {
            return Instructions.WRMSR;
        }
    }

    /// @param recorded whether an imported log says what was read: `observed`
    record Rdmsr(long rip, int msr, boolean recorded, long observed) implements GuestOp {
        public Rdmsr(long rip, int msr) {
            this(rip, msr, false, 0);
        }

        @Override
        public int length() {
            return Instructions.RDMSR;
        }
    }

    record Cpuid(long rip, int leaf, int subleaf) implements GuestOp {
        @Override
        public int length() {
            return Instructions.CPUID;
        }
    }

    record Hlt(long rip) implements GuestOp {
        @Override
        public int length() {
            return Instructions.HLT;
        }
    }

    /// IN or OUT; `value` is what OUT writes.
    record Io(long rip, int port, int size, boolean write, long value) implements GuestOp {
        @Override
        public int length() {
            return Instructions.IO;
        }
    }

    /// A load or store of memory that no RAM backs; `value` is what a store writes.
    record Mmio(long rip, long address, int size, boolean write, long value) implements GuestOp {
        @Override
        public int length() {
            return Instructions.MMIO;
        }
    }

    record Hypercall(long rip, boolean vmmcall, long number) implements GuestOp {
        @Override
        public int length() {
            return Instructions.VMCALL;
        }
    }

    record MovToCr(long rip, int cr, long value) implements GuestOp {
        @Override
        public int length() {
            return Instructions.MOV_CR;
        }
    }

    record MovToDr(long rip, int dr, long value) implements GuestOp {
        @Override
        public int length() {
            return Instructions.MOV_DR;
        }
    }

    record TlbInvalidate(long rip, TlbInstruction instruction, int type, long operand)
            implements GuestOp {
        @Override
        public int length() {
            return instruction == TlbInstruction.INVLPG
                    ? Instructions.INVLPG
                    : Instructions.INVPCID;
        }
    }

    record Rdtsc(long rip) implements GuestOp {
        @Override
        public int length() {
            return Instructions.RDTSC;
        }
    }

    record Xsetbv(long rip, int xcr, long value) implements GuestOp {
        @Override
        public int length() {
            return Instructions.XSETBV;
        }
    }

    record Pause(long rip) implements GuestOp {
        @Override
        public int length() {
            return Instructions.PAUSE;
        }
    }

    /// @param operand address, or VMCS encoding
    record VmOp(long rip, VmInstruction instruction, long operand, long value) implements GuestOp {
        @Override
        public int length() {
            return Instructions.VMREAD;
        }
    }

    record StoreNestedField(long rip, int field, long value) implements GuestOp {
        @Override
        public int length() {
            return Instructions.STORE;
        }
    }

    record StoreNestedBitmap(long rip, int msr, boolean read, boolean write) implements GuestOp {
        @Override
        public int length() {
            return Instructions.STORE;
        }
    }

    /// `count` calls, one inside the other.
    record Call(long rip, long count) implements GuestOp {
        @Override
        public int length() {
            return 0;
        }

        @Override
        public long ticks() {
            return count;
        }
    }

    /// `count` returns.
    record Ret(long rip, long count) implements GuestOp {
        @Override
        public int length() {
            return 0;
        }

        @Override
        public long ticks() {
            return count;
        }
    }

    /// @param address of the vmcb12 that VMRUN names
    record EnterNested(long rip, EntryInstruction instruction, long address) implements GuestOp {
        @Override
        public int length() {
            return Instructions.VMLAUNCH;
        }
    }

    /// XSAVES or XRSTORS of the components in EDX:EAX.
    record MoveState(long rip, StateInstruction instruction, long mask) implements GuestOp {
        @Override
        public int length() {
            return instruction == StateInstruction.XSAVES
                    ? Instructions.XSAVES
                    : Instructions.XRSTORS;
        }
    }
}

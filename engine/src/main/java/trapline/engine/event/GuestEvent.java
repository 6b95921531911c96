package trapline.engine.event;

/// What a guest's op did, with the result that the guest saw.
///
/// It is recorded when the op ends, whether the processor executed it or the hypervisor completed
/// it. `rip` is the instruction's address. Under another policy op and operands stay; a result that
/// differs is a guest-visible difference.
public sealed interface GuestEvent extends Event {

    long rip();

    Outcome outcome();

    /// As the guest saw it, who cannot tell KVM from userspace.
    default GuestEvent seen() {
        return this;
    }

    /// `count` ordinary instructions, none of which a hypervisor cares about.
    record InstructionsRetired(long rip, long count) implements GuestEvent {
        @Override
        public Outcome outcome() {
            return Outcome.DONE;
        }
    }

    record MsrWritten(long rip, int msr, long value, Outcome outcome) implements GuestEvent {
        @Override
        public GuestEvent seen() {
            return outcome == Outcome.USERSPACE
                    ? new MsrWritten(rip, msr, value, Outcome.DONE)
                    : this;
        }
    }

    record MsrReadBack(long rip, int msr, long value, Outcome outcome) implements GuestEvent {
        @Override
        public GuestEvent seen() {
            return outcome == Outcome.USERSPACE
                    ? new MsrReadBack(rip, msr, value, Outcome.DONE)
                    : this;
        }
    }

    record CpuidExecuted(
            long rip, int leaf, int subleaf, int eax, int ebx, int ecx, int edx, Outcome outcome)
            implements GuestEvent {}

    record Halted(long rip, Outcome outcome) implements GuestEvent {}

    record IoPerformed(long rip, int port, int size, boolean write, long value, Outcome outcome)
            implements GuestEvent {}

    record MmioPerformed(
            long rip, long address, int size, boolean write, long value, Outcome outcome)
            implements GuestEvent {}

    /// VMCALL or VMMCALL; `result` is what RAX held afterwards.
    record HypercallMade(long rip, boolean vmmcall, long number, long result, Outcome outcome)
            implements GuestEvent {}

    record ControlRegisterWritten(long rip, int cr, long value, Outcome outcome)
            implements GuestEvent {}

    record DebugRegisterWritten(long rip, int dr, long value, Outcome outcome)
            implements GuestEvent {}

    record TlbInvalidated(
            long rip, TlbInstruction instruction, int type, long operand, Outcome outcome)
            implements GuestEvent {}

    /// RDTSC.
    record TimestampCounterRead(long rip, long value, Outcome outcome) implements GuestEvent {}

    /// XSETBV.
    record ExtendedControlWritten(long rip, int xcr, long value, Outcome outcome)
            implements GuestEvent {}

    record Paused(long rip, Outcome outcome) implements GuestEvent {}

    /// A virtualization instruction other than the ones that enter a guest: what L1 says to L0.
    record VmInstructionExecuted(
            long rip, VmInstruction instruction, long operand, long value, Outcome outcome)
            implements GuestEvent {}

    /// L1 stored into its own VMCB, which is plain memory.
    record NestedFieldStored(long rip, int field, long value) implements GuestEvent {
        @Override
        public Outcome outcome() {
            return Outcome.DONE;
        }
    }

    /// L1 stored into its own MSR bitmap, which is plain memory; `msr` is [#ALL] for all of it.
    record NestedBitmapStored(long rip, int msr, boolean read, boolean write)
            implements GuestEvent {

        public static final int ALL = -1;

        @Override
        public Outcome outcome() {
            return Outcome.DONE;
        }
    }

    /// VMLAUNCH, VMRESUME or VMRUN by L1: when done, L2 is the guest.
    ///
    /// `address` is the operand of VMRUN; for the others, of the current VMCS.
    record NestedEntered(long rip, EntryInstruction instruction, long address, Outcome outcome)
            implements GuestEvent {}

    /// `count` calls, one inside the other; their return addresses go to the predictor.
    record CallsMade(long rip, long count) implements GuestEvent {
        @Override
        public Outcome outcome() {
            return Outcome.DONE;
        }
    }

    /// `count` returns, each of which the predictor had an address for, or not: see `ReturnsPredicted`.
    record ReturnsMade(long rip, long count) implements GuestEvent {
        @Override
        public Outcome outcome() {
            return Outcome.DONE;
        }
    }

    /// XSAVES or XRSTORS.
    ///
    /// @param mask EDX:EAX, the components that the instruction asks for
    /// @param components those of them that XCR0 and IA32_XSS enable, which are saved or restored
    /// @param values the MSRs among that state, with the values that were saved or restored
    record ExtendedStateMoved(
            long rip,
            StateInstruction instruction,
            long mask,
            long components,
            MsrValues values,
            Outcome outcome)
            implements GuestEvent {}

    enum StateInstruction {
        XSAVES,
        XRSTORS
    }

    enum TlbInstruction {
        INVLPG,
        INVPCID
    }

    enum EntryInstruction {
        VMLAUNCH,
        VMRESUME,
        VMRUN
    }

    enum VmInstruction {
        VMXON,
        VMXOFF,
        VMCLEAR,
        VMPTRLD,
        VMREAD,
        VMWRITE,
        VMLOAD,
        VMSAVE
    }
}

package trapline.engine.event;

/// What the processor did at the border between guest and hypervisor.
///
/// `written` is all that the processor itself stored, field by field, so that every mutation of
/// VMCS or VMCB is in the log without a record for each.
public sealed interface HardwareEvent extends Event {

    /// @param level 1 for the guest, 2 for the guest's guest
    /// @param reason VMX exit reason with its upper bits, or SVM exit code
    /// @param qualification VMX exit qualification, or EXITINFO1
    /// @param info VMX IDT-vectoring information, or EXITINFO2
    /// @param interruptInfo VM-exit interruption information, or EXITINTINFO
    record VmExited(
            int level,
            long reason,
            long qualification,
            long info,
            int interruptInfo,
            int errorCode,
            Writes written)
            implements HardwareEvent {}

    record VmEntered(int level, Writes written) implements HardwareEvent {}

    /// Entry failed at the named check; `reason` is what the processor reported.
    record VmEntryFailed(int level, String check, long reason, Writes written)
            implements HardwareEvent {}

    /// What the returns of the op under way found in the return-address predictor; no guest sees it.
    ///
    /// @param predicted the entry of the very call
    /// @param mispredicted an entry that the same level of the vCPU pushed, but for another call
    /// @param foreignLevel an entry that L1 pushed for L2, or the reverse
    /// @param foreignVcpu an entry of another vCPU
    /// @param empty nothing
    record ReturnsPredicted(
            long predicted, long mispredicted, long foreignLevel, long foreignVcpu, long empty)
            implements HardwareEvent {}

    /// The return-address predictor lost the guests' entries.
    ///
    /// @param entries how many there were
    record RapFlushed(RapCause cause, int entries) implements HardwareEvent {}

    /// Why a return-address predictor is flushed. New ones go to the end.
    enum RapCause {
        /// CLEAR_RAP at VMRUN, set because L1 enters L2.
        NESTED_ENTRY,
        /// CLEAR_RAP at VMRUN, set because L2 exits to L1, or to the hypervisor.
        NESTED_EXIT,
        /// CLEAR_RAP at VMRUN, set because the hypervisor carried out a MOV to CR3.
        CR3_WRITE,
        /// CLEAR_RAP at VMRUN, set because the hypervisor carried out a single-context INVPCID.
        INVPCID,
        /// CLEAR_RAP at VMRUN, set with a flush of the guest's TLB.
        GUEST_TLB_FLUSH,
        /// CLEAR_RAP at VMRUN, set for an earlier VMRUN and never cleared.
        STILL_SET,
        /// TLB_CONTROL at VMRUN, on a processor where that clears the predictor.
        TLB_CONTROL,
        /// The guest's own MOV to CR3 or INVPCID, which hardware takes as a reason to clear.
        IMPLICIT,
        /// The host ran another process, so it wrote CR3.
        TASK_SWITCH,
        IBPB,
        /// The host filled the predictor after an exit (RSB_VMEXIT), where entries are not tagged.
        RSB_FILL;

        /// Whether the hypervisor asked for it by CLEAR_RAP: the others are part of what caused them.
        public boolean asked() {
            return ordinal() <= STILL_SET.ordinal();
        }
    }
}

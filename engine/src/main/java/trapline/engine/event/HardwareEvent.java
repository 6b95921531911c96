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
}

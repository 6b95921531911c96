package trapline.engine.event;

/// What reached the machine from outside: kept under another policy while the op streams agree.
public sealed interface InputEvent extends Event {

    record InterruptArrived(Target target, int vector) implements InputEvent {}

    /// The host's scheduler took the vCPU off its pCPU, to go on at `pcpu`; [#LATER] when it is next due.
    record HostPreempted(int pcpu) implements InputEvent {

        public static final int LATER = -1;
    }

    /// Userspace asked for an MSR to be set (KVM_SET_MSRS).
    record UserspaceMsrRequested(int msr, long value) implements InputEvent {}

    record TimestampRead(long value) implements InputEvent {}

    /// A device answered a read of a port or of memory-mapped I/O.
    record DeviceRead(long address, int size, long value) implements InputEvent {}

    /// Userspace asked for another MSR filter (KVM_X86_SET_MSR_FILTER).
    record MsrFilterRequested(MsrFilter filter) implements InputEvent {}

    /// Userspace asked to be told of MSR accesses that fail for these reasons, and of no others
    /// (KVM_ENABLE_CAP of KVM_CAP_X86_USER_SPACE_MSR).
    ///
    /// @param reasons the bits of [MsrExitReason]
    record MsrExitsRequested(int reasons) implements InputEvent {}

    /// Userspace did a guest's MSR access that KVM had returned to it.
    ///
    /// @param value what the guest reads, or what it will read from now on after a write
    /// @param error whether the guest gets #GP instead
    record UserspaceReplied(int msr, boolean write, long value, boolean error)
            implements InputEvent {}

    /// Userspace asked for bits of SPEC_CTRL to be forced, those of `value` on and the rest of `mask` off.
    ///
    /// @param vm whether it asked before the VM had vCPUs
    record SpecCtrlForceRequested(boolean vm, long mask, long value) implements InputEvent {}

    /// Whom an interrupt is for.
    enum Target {
        HOST,
        GUEST
    }
}

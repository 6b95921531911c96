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

    /// Whom an interrupt is for.
    enum Target {
        HOST,
        GUEST
    }
}

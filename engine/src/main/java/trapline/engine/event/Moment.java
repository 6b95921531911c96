package trapline.engine.event;

/// A point of every run at which it matters what the hardware holds. Nothing happens there, so it is no event.
public enum Moment {
    /// The next thing is VM entry.
    ENTRY,
    /// Exit code is done, and interrupts are on again: from here on any code of the host may run.
    HANDLER,
    /// The vCPU was taken off its pCPU.
    PUT,
    /// The guest has written SPEC_CTRL without an exit, and runs on.
    GUEST_WROTE,
    /// The guest has moved state with XSAVES or XRSTORS, which did not exit.
    GUEST_MOVED_STATE
}

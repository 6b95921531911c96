package trapline.engine.exit;

/// What follows an exit that has been handled.
public enum Next {
    /// The op has ended: the guest goes on behind it.
    CONTINUE,
    /// The guest executes the same instruction again.
    RETRY,
    /// The vCPU waits for an interrupt.
    WAIT
}

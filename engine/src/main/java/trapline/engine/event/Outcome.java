package trapline.engine.event;

/// How a guest's op ended, as the guest saw it.
public enum Outcome {
    /// It retired.
    DONE,
    /// It retired, and the value read is the one that the imported log recorded, not a modelled one.
    RECORDED,
    /// It raised #GP(0).
    GP,
    /// It raised #UD.
    UD,
    /// It exited to L1, whose handler completed it.
    REFLECTED,
    /// A VMX instruction failed (VMfailValid or VMfailInvalid).
    FAILED,
    /// It retired, and userspace did it, in the place of KVM: the guest cannot tell.
    USERSPACE;

    /// Whether the instruction retired, so that RIP moved past it.
    public boolean retired() {
        return this != GP && this != UD;
    }
}

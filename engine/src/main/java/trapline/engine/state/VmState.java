package trapline.engine.state;

/// What all vCPUs of the virtual machine share. Only this package changes it.
public final class VmState {

    final LongSet mmioFrames;
    final LongSet patchedHypercalls;

    VmState() {
        this(new LongSet(), new LongSet());
    }

    private VmState(LongSet mmioFrames, LongSet patchedHypercalls) {
        this.mmioFrames = mmioFrames;
        this.patchedHypercalls = patchedHypercalls;
    }

    /// Guest frames that the nested page tables mark as memory-mapped I/O.
    public LongSet mmioFrames() {
        return mmioFrames;
    }

    /// Addresses where a hypercall instruction was rewritten to the vendor's own.
    public LongSet patchedHypercalls() {
        return patchedHypercalls;
    }

    VmState copy() {
        return new VmState(mmioFrames.copy(), patchedHypercalls.copy());
    }
}

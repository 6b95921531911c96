package trapline.engine.state;

import trapline.engine.event.MsrFilter;

/// What all vCPUs of the virtual machine share. Only this package changes it.
public final class VmState {

    final LongSet mmioFrames;
    final LongSet patchedHypercalls;
    MsrFilter msrFilter = MsrFilter.NONE;
    int msrExits;
    long forceMask;
    long forceValue;

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

    /// Which MSR accesses userspace lets the guest make.
    public MsrFilter msrFilter() {
        return msrFilter;
    }

    /// Of which failed MSR accesses userspace is told: bits of [MsrExitReason].
    public int msrExits() {
        return msrExits;
    }

    /// The bits of SPEC_CTRL that userspace forces on the whole VM.
    public long forceMask() {
        return forceMask;
    }

    /// Those of them that are set.
    public long forceValue() {
        return forceValue;
    }

    VmState copy() {
        VmState copy = new VmState(mmioFrames.copy(), patchedHypercalls.copy());
        copy.msrFilter = msrFilter;
        copy.msrExits = msrExits;
        copy.forceMask = forceMask;
        copy.forceValue = forceValue;
        return copy;
    }
}

package trapline.engine.state;

/// One vCPU's copies of what XSAVE moves, as far as that is MSRs. Only this package changes it.
///
/// The guest has many areas in its memory; this is the one that XSAVES wrote last.
public final class ExtendedState {

    /// Bit 63 of XCOMP_BV: an area in the compacted format, as XSAVES writes it.
    public static final long COMPACTED = 1L << 63;

    long layout;
    MsrFile area;
    final MsrFile fpu;

    ExtendedState() {
        area = new MsrFile();
        fpu = new MsrFile();
    }

    private ExtendedState(ExtendedState other) {
        layout = other.layout;
        area = other.area.copy();
        fpu = other.fpu.copy();
    }

    /// XCOMP_BV of the guest's area: 0 until XSAVES first writes it.
    public long layout() {
        return layout;
    }

    /// The MSRs in the guest's area.
    public MsrFile area() {
        return area;
    }

    /// What the hypervisor keeps of the guest's FPU state while that is not in the hardware.
    public MsrFile fpu() {
        return fpu;
    }

    ExtendedState copy() {
        return new ExtendedState(this);
    }
}

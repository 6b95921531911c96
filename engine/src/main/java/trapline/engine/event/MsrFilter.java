package trapline.engine.event;

import java.util.List;

/// Which MSR accesses userspace lets a guest make (`struct kvm_msr_filter`).
///
/// @param deniesByDefault whether an access that no range is about is denied
/// @param ranges the first one that is about an access decides
public record MsrFilter(boolean deniesByDefault, List<MsrFilterRange> ranges) {

    /// What holds before userspace sets one.
    public static final MsrFilter NONE = new MsrFilter(false, List.of());

    private static final int X2APIC_FIRST = 0x800;
    private static final int X2APIC_LAST = 0x8ff;

    public MsrFilter {
        ranges = List.copyOf(ranges);
    }

    /// Whether a guest's access is denied; those of the x2APIC never are (FACTS 2.6).
    public boolean denies(int msr, boolean write) {
        if (msr >= X2APIC_FIRST && msr <= X2APIC_LAST) {
            return false;
        }
        for (int i = 0; i < ranges.size(); i++) {
            MsrFilterRange range = ranges.get(i);
            if (range.isAbout(msr, write)) {
                return !range.allows(msr);
            }
        }
        return deniesByDefault;
    }

    /// Whether nothing is denied, by the look of it.
    public boolean isEmpty() {
        return !deniesByDefault && ranges.isEmpty();
    }
}

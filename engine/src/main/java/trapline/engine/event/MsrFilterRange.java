package trapline.engine.event;

import java.util.Arrays;

/// MSRs in a row, a bit for each: 1 allows the access, 0 denies it (`struct kvm_msr_filter_range`).
///
/// @param read whether it is about reads
/// @param write whether it is about writes
/// @param base the first MSR
/// @param count how many MSRs; a range of none is about nothing
/// @param bitmap the bits, 64 to a word, the first MSR's the lowest
public record MsrFilterRange(boolean read, boolean write, int base, int count, long[] bitmap) {

    /// As many as KVM takes (KVM_MSR_FILTER_MAX_BITMAP_SIZE bytes).
    public static final int MOST = 0x600 * 8;

    public static int words(int count) {
        return (count + 63) / 64;
    }

    boolean isAbout(int msr, boolean accessWrites) {
        long at = Integer.toUnsignedLong(msr) - Integer.toUnsignedLong(base);
        return (accessWrites ? write : read) && at >= 0 && at < count;
    }

    /// Whether the bit of an MSR of the range is set.
    public boolean allows(int msr) {
        int at = msr - base;
        return (bitmap[at >>> 6] >>> (at & 63) & 1) != 0;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MsrFilterRange that
                && read == that.read
                && write == that.write
                && base == that.base
                && count == that.count
                && Arrays.equals(bitmap, that.bitmap);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * base + count) + Arrays.hashCode(bitmap);
    }

    @Override
    public String toString() {
        return "%s%s 0x%x+%d %s"
                .formatted(read ? "r" : "", write ? "w" : "", base, count, Arrays.toString(bitmap));
    }
}

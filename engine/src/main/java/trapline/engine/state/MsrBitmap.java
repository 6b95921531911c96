package trapline.engine.state;

import java.util.Arrays;

/// One MSR bitmap, bit for bit as the hardware reads it.
///
/// KVM's own start with everything intercepted; L1's is a page of its memory and starts with zeros.
public final class MsrBitmap {

    private final BitmapFormat format;
    private final long[] words;

    MsrBitmap(BitmapFormat format, long fill) {
        this.format = format;
        words = new long[format.words()];
        fill(fill);
    }

    private MsrBitmap(MsrBitmap other) {
        format = other.format;
        words = other.words.clone();
    }

    /// Whether the access exits; an MSR outside the bitmap's ranges always does.
    public boolean exits(int msr, boolean write) {
        int bit = format.bit(msr, write);
        return bit < 0 || (words[bit >>> 6] >>> (bit & 63) & 1) != 0;
    }

    public boolean covers(int msr) {
        return format.bit(msr, false) >= 0;
    }

    /// 64 bits of the bitmap, the lowest first.
    public long word(int index) {
        return words[index];
    }

    public int words() {
        return words.length;
    }

    void set(int msr, boolean read, boolean write) {
        set(format.bit(msr, false), read);
        set(format.bit(msr, true), write);
    }

    void fill(long word) {
        Arrays.fill(words, word);
    }

    void setWord(int index, long word) {
        words[index] = word;
    }

    MsrBitmap copy() {
        return new MsrBitmap(this);
    }

    private void set(int bit, boolean exits) {
        long mask = 1L << (bit & 63);
        words[bit >>> 6] = exits ? words[bit >>> 6] | mask : words[bit >>> 6] & ~mask;
    }
}

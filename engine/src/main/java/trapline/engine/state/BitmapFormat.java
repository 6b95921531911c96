package trapline.engine.state;

/// Where an MSR's two bits lie in a vendor's MSR bitmap, 1 meaning that the access exits.
///
/// VMX (SDM vol. 3C, MSR-Bitmap Address): four regions of 1 KiB, reads before writes. SVM (APM vol. 2,
/// MSR Intercepts): three ranges of 2 KiB with two bits for each MSR, the fourth 2 KiB reserved.
public enum BitmapFormat {
    VMX(512) {
        @Override
        public int bit(int msr, boolean write) {
            int region = region(msr);
            return region < 0 || region > 1
                    ? -1
                    : (write ? 0x4000 : 0) + region * 0x2000 + (msr & 0x1fff);
        }
    },
    SVM(1024) {
        @Override
        public int bit(int msr, boolean write) {
            int region = region(msr);
            return region < 0 ? -1 : region * 0x4000 + 2 * (msr & 0x1fff) + (write ? 1 : 0);
        }
    };

    private final int words;

    BitmapFormat(int words) {
        this.words = words;
    }

    /// The bit's number in the bitmap, or -1 for an MSR that it does not cover.
    public abstract int bit(int msr, boolean write);

    /// The bitmap's size in words of 64 bits.
    public int words() {
        return words;
    }

    private static int region(int msr) {
        return switch (msr & ~0x1fff) {
            case 0 -> 0;
            case 0xc000_0000 -> 1;
            case 0xc001_0000 -> 2;
            default -> -1;
        };
    }
}

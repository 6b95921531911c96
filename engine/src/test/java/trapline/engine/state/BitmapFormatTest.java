package trapline.engine.state;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.BitSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// MSR bitmaps, bit by bit: FACTS 6 and the tables of both formats.
class BitmapFormatTest {

    /// VMX: read-low at 0, read-high at 0x400, write-low at 0x800, write-high at 0xc00, one bit for each MSR.
    @ParameterizedTest
    @CsvSource({
        "0x0, false, 0x000, 0",
        "0x1fff, false, 0x3ff, 7",
        "0xc0000000, false, 0x400, 0",
        "0xc0001fff, false, 0x7ff, 7",
        "0x0, true, 0x800, 0",
        "0x1fff, true, 0xbff, 7",
        "0xc0000000, true, 0xc00, 0",
        "0xc0001fff, true, 0xfff, 7",
        "0x48, false, 0x009, 0",
        "0x48, true, 0x809, 0",
        "0xc0000101, false, 0x420, 1",
        "0xc0000102, true, 0xc20, 2"
    })
    void vmxBit(String msr, boolean write, String offset, int bit) {
        assertEquals(8 * Integer.decode(offset) + bit, BitmapFormat.VMX.bit(index(msr), write));
    }

    /// SVM: three ranges of 2 KiB, two bits for each MSR, read first.
    @ParameterizedTest
    @CsvSource({
        "0x0, false, 0x0000, 0",
        "0x0, true, 0x0000, 1",
        "0x1fff, false, 0x07ff, 6",
        "0x1fff, true, 0x07ff, 7",
        "0xc0000000, false, 0x0800, 0",
        "0xc0001fff, true, 0x0fff, 7",
        "0xc0010000, false, 0x1000, 0",
        "0xc0011fff, true, 0x17ff, 7",
        "0x48, false, 0x0012, 0",
        "0x48, true, 0x0012, 1",
        "0xc001011f, false, 0x1047, 6"
    })
    void svmBit(String msr, boolean write, String offset, int bit) {
        assertEquals(8 * Integer.decode(offset) + bit, BitmapFormat.SVM.bit(index(msr), write));
    }

    @ParameterizedTest
    @CsvSource({
        "0x2000, VMX",
        "0xbfffffff, VMX",
        "0xc0002000, VMX",
        "0xc0010000, VMX",
        "0xc0011fff, VMX",
        "0x40000000, VMX",
        "0x80000000, VMX",
        "0xffffffff, VMX",
        "0x2000, SVM",
        "0xbfffffff, SVM",
        "0xc0002000, SVM",
        "0xc000ffff, SVM",
        "0xc0012000, SVM",
        "0x40000000, SVM",
        "0xffffffff, SVM"
    })
    void outsideRangesEverythingExits(String msr, BitmapFormat format) {
        assertEquals(-1, format.bit(index(msr), false));
        assertEquals(-1, format.bit(index(msr), true));
        MsrBitmap bitmap = new MsrBitmap(format, 0);
        assertTrue(bitmap.exits(index(msr), false));
        assertTrue(bitmap.exits(index(msr), true));
        assertFalse(bitmap.covers(index(msr)));
    }

    /// Every covered access has a bit of its own, and all of them fill the page, but for SVM's reserved quarter.
    @Test
    void everyAccessHasItsOwnBit() {
        for (BitmapFormat format : BitmapFormat.values()) {
            BitSet used = new BitSet();
            int[] bases =
                    format == BitmapFormat.VMX
                            ? new int[] {0, 0xc000_0000}
                            : new int[] {0, 0xc000_0000, 0xc001_0000};
            for (int base : bases) {
                for (int i = 0; i < 0x2000; i++) {
                    for (boolean write : new boolean[] {false, true}) {
                        int bit = format.bit(base + i, write);
                        assertFalse(used.get(bit));
                        used.set(bit);
                    }
                }
            }
            int bits = format == BitmapFormat.VMX ? 8 * 4096 : 8 * 6144;
            assertEquals(bits, used.cardinality());
            assertEquals(bits, used.length());
            assertEquals(format == BitmapFormat.VMX ? 512 : 1024, format.words());
        }
    }

    /// Setting one MSR leaves every other alone, and the words are what the formula says.
    @Test
    void setsOnlyItsOwnBits() {
        for (BitmapFormat format : BitmapFormat.values()) {
            MsrBitmap bitmap = new MsrBitmap(format, -1);
            bitmap.set(0x48, false, true);
            bitmap.set(0xc000_0102, true, false);
            int cleared = 0;
            for (int i = 0; i < bitmap.words(); i++) {
                cleared += Long.bitCount(~bitmap.word(i));
            }
            assertEquals(2, cleared);
            int read = format.bit(0x48, false);
            assertEquals(0, bitmap.word(read / 64) >>> read % 64 & 1);
            assertFalse(bitmap.exits(0x48, false));
            assertTrue(bitmap.exits(0x48, true));
            assertTrue(bitmap.exits(0x49, false));
            assertFalse(bitmap.exits(0xc000_0102, true));
        }
    }

    private static int index(String msr) {
        return Integer.parseUnsignedInt(msr.substring(2), 16);
    }
}

package trapline.recorder.trace;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// Looks at eight bytes at once.
final class Words {

    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long ONES = 0x0101_0101_0101_0101L;
    private static final long HIGH = ONES << 7;
    private static final long LINE_ENDS = ONES * '\n';

    private Words() {}

    static long at(byte[] bytes, int from) {
        return (long) LONG.get(bytes, from);
    }

    /// The next line end, or `to`.
    static int lineEnd(byte[] bytes, int from, int to) {
        int i = from;
        while (i + Long.BYTES <= to) {
            long word = at(bytes, i) ^ LINE_ENDS;
            long zeros = word - ONES & ~word & HIGH;
            if (zeros != 0) {
                return i + (Long.numberOfTrailingZeros(zeros) >>> 3);
            }
            i += Long.BYTES;
        }
        while (i < to && bytes[i] != '\n') {
            i++;
        }
        return i;
    }

    /// Whether all of `expected`, at least eight bytes, is there. The last eight are looked at first, since they differ
    /// most often.
    static boolean equal(byte[] expected, byte[] bytes, int from) {
        int last = expected.length - Long.BYTES;
        if (at(expected, last) != at(bytes, from + last)) {
            return false;
        }
        for (int i = 0; i < last; i += Long.BYTES) {
            if (at(expected, i) != at(bytes, from + i)) {
                return false;
            }
        }
        return true;
    }
}

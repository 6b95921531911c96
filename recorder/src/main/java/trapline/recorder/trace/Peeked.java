package trapline.recorder.trace;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/// A stream of which the first bytes were looked at, and are given again before any more is waited for.
final class Peeked extends FilterInputStream {

    private static final int MOST = 4 << 10;
    private static final int LEAST = 8;

    private final byte[] head = new byte[MOST];
    private int given;
    private int length;

    Peeked(InputStream in) throws IOException {
        super(in);
        while (length < LEAST) {
            int more = in.read(head, length, MOST - length);
            if (more < 0) {
                break;
            }
            length += more;
        }
    }

    /// The first bytes, up to a few thousand of them.
    byte[] head() {
        return Arrays.copyOf(head, length);
    }

    @Override
    public int read() throws IOException {
        return given < length ? head[given++] & 0xff : in.read();
    }

    @Override
    public int read(byte[] buffer, int from, int most) throws IOException {
        if (given == length) {
            return in.read(buffer, from, most);
        }
        int count = Math.min(most, length - given);
        System.arraycopy(head, given, buffer, from, count);
        given += count;
        return count;
    }

    @Override
    public int available() throws IOException {
        return length - given + in.available();
    }
}

package trapline.recorder.trace;

import java.io.IOException;
import java.io.InputStream;

/// Cuts a stream into lines, in memory that does not grow with them.
final class Lines {

    static final int LONGEST = 64 << 10;
    private static final int BLOCK = 256 << 10;

    private final InputStream in;
    private final LineParser parser;
    private byte[] buffer = new byte[BLOCK];
    private int from;
    private int to;
    private boolean skipping;

    /// How far line ends were looked for.
    private int looked;

    Lines(InputStream in, LineParser parser) {
        this.in = in;
        this.parser = parser;
    }

    /// Reads some, and parses the lines that are complete; false at the end.
    boolean more() throws IOException, InterruptedException {
        lines();
        makeRoom();
        int read = in.read(buffer, to, buffer.length - to);
        if (read > 0) {
            to += read;
            lines();
        }
        return read >= 0;
    }

    /// Whether the last line had no end.
    boolean cut() {
        return to > from;
    }

    /// Parses a last line without an end.
    void last() throws InterruptedException {
        if (!skipping && to > from) {
            parser.line(buffer, from, to);
        }
        from = to;
    }

    /// Counts a last line that was cut short.
    void lastIsCut(String why) {
        if (!skipping && to > from) {
            parser.cut(buffer, from, to, why);
        }
        from = to;
    }

    private void lines() throws InterruptedException {
        byte[] bytes = buffer;
        int start = from;
        int end = Words.lineEnd(bytes, looked, to);
        while (end < to) {
            if (skipping) {
                skipping = false;
            } else {
                parser.line(bytes, start, end);
            }
            start = end + 1;
            end = Words.lineEnd(bytes, start, to);
        }
        looked = to;
        from = start;
    }

    private void makeRoom() {
        if (to - from > LONGEST) {
            if (!skipping) {
                parser.tooLong(buffer, from, to, LONGEST);
                skipping = true;
            }
            from = to;
        }
        if (from > 0) {
            System.arraycopy(buffer, from, buffer, 0, to - from);
            to -= from;
            looked -= from;
            from = 0;
        }
    }
}

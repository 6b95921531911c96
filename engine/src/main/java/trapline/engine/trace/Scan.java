package trapline.engine.trace;

import java.nio.charset.StandardCharsets;
import trapline.engine.event.TraceFields;

/// A place in a text of bytes, and the fields read of it so far.
final class Scan {

    private static final int MOST_FIELDS = 16;
    private static final byte[] DIGITS = new byte[128];

    static {
        for (int c = 0; c < DIGITS.length; c++) {
            DIGITS[c] = (byte) (c >= 'A' && c <= 'F' ? -1 : Character.digit(c, 16));
        }
    }

    byte[] bytes = new byte[0];
    int at;
    int end;

    /// What [#hex], [#unsigned] or [#signed] read last.
    long number;

    /// The farthest place to which any form of the text came.
    int farthest;

    String text = "";

    private final long[] values = new long[MOST_FIELDS];
    private int present;

    void start(byte[] text, int from, int to) {
        bytes = text;
        end = to;
        at = from;
        farthest = from;
        again(from);
    }

    /// Forgets all fields, to try another form.
    void again(int from) {
        farthest = Math.max(farthest, at);
        at = from;
        present = 0;
        text = "";
    }

    boolean atEnd() {
        return at == end;
    }

    void put(int field, long value) {
        values[field] = value;
        present |= 1 << field;
    }

    /// Puts some bits of a field, of which other bits may come from elsewhere.
    void put(int field, int shift, long bits) {
        long others = (present >>> field & 1) == 0 ? 0 : values[field];
        put(field, others | bits << shift);
    }

    boolean has(int field) {
        return (present >>> field & 1) != 0;
    }

    long value(int field) {
        return values[field];
    }

    boolean anything() {
        return present != 0;
    }

    TraceFields fields() {
        long[] compact = new long[Integer.bitCount(present)];
        int next = 0;
        for (int rest = present; rest != 0; rest &= rest - 1) {
            compact[next++] = values[Integer.numberOfTrailingZeros(rest)];
        }
        return TraceFields.of(present, compact, text);
    }

    boolean literal(byte[] expected) {
        int from = at;
        if (end - from < expected.length) {
            return false;
        }
        byte[] found = bytes;
        for (int i = 0; i < expected.length; i++) {
            if (found[from + i] != expected[i]) {
                return false;
            }
        }
        at = from + expected.length;
        return true;
    }

    /// Reads up to sixteen hexadecimal digits, without a prefix; the kernel's are in lower case.
    boolean hex() {
        int from = at;
        int i = from;
        long value = 0;
        while (i < end) {
            byte c = bytes[i];
            int digit = c < 0 ? -1 : DIGITS[c];
            if (digit < 0) {
                break;
            }
            value = value << 4 | digit;
            i++;
        }
        if (i == from || i - from > 16) {
            return false;
        }
        at = i;
        number = value;
        return true;
    }

    /// Reads up to twenty digits, as a 64-bit number.
    boolean unsigned() {
        int from = at;
        int i = from;
        long value = 0;
        while (i < end) {
            int digit = bytes[i] - '0';
            if (digit < 0 || digit > 9) {
                break;
            }
            value = value * 10 + digit;
            i++;
        }
        if (i == from || i - from > 20) {
            return false;
        }
        at = i;
        number = value;
        return true;
    }

    boolean signed() {
        if (at < end && bytes[at] == '-') {
            at++;
            if (!unsigned()) {
                return false;
            }
            number = -number;
            return true;
        }
        return unsigned();
    }

    boolean prefix() {
        if (end - at >= 2 && bytes[at] == '0' && bytes[at + 1] == 'x') {
            at += 2;
            return true;
        }
        return false;
    }

    boolean next(char c) {
        if (at < end && bytes[at] == c) {
            at++;
            return true;
        }
        return false;
    }

    void blanks() {
        while (at < end && bytes[at] == ' ') {
            at++;
        }
    }

    /// Where the word ends that begins here: at a blank or at one of what closes names in these texts.
    int wordEnd() {
        int i = at;
        while (i < end) {
            byte c = bytes[i];
            if (c == ' ' || c == ')' || c == '|' || c == '=' || c == ':' || c == ',') {
                break;
            }
            i++;
        }
        return i;
    }

    String string(int from, int to) {
        return new String(bytes, from, to - from, StandardCharsets.UTF_8);
    }
}

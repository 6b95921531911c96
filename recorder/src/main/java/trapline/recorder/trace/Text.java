package trapline.recorder.trace;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/// Bytes of a trace as text that a terminal shows: whatever is not printable is escaped.
final class Text {

    private static final int SHOWN = 100;

    private Text() {}

    /// Valid UTF-8 without control characters as it is; else each byte that is not ASCII as `\xNN`.
    static String escaped(byte[] bytes, int from, int to) {
        String text = decoded(bytes, from, to);
        StringBuilder out = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isISOControl(c)) {
                out.append("\\x%02x".formatted((int) c));
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }

    private static String decoded(byte[] bytes, int from, int to) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes, from, to - from))
                    .toString();
        } catch (CharacterCodingException _) {
            StringBuilder out = new StringBuilder();
            for (int i = from; i < to; i++) {
                out.append(bytes[i] < 0 ? "\\x%02x".formatted(bytes[i] & 0xff) : (char) bytes[i]);
            }
            return out.toString();
        }
    }

    /// The beginning of a line.
    static String shortened(byte[] bytes, int from, int to) {
        int end = Math.min(to, from + SHOWN);
        return escaped(bytes, from, end) + (end < to ? "…" : "");
    }
}

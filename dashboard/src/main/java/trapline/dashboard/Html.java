package trapline.dashboard;

import java.util.ArrayDeque;
import java.util.Deque;
import trapline.engine.Check;

/// A page as it is written, element by element: well-formed as XML too, every text escaped.
///
/// Texts come from sessions, policies and guests that anybody may have made, so there is no way to
/// write markup but through this class's own methods.
final class Html {

    private static final char REPLACEMENT = '\ufffd';

    private final StringBuilder out = new StringBuilder(1 << 16);
    private final Deque<String> open = new ArrayDeque<>();

    Html() {
        out.append("<!DOCTYPE html>\n");
    }

    /// Opens an element.
    ///
    /// @param attributes names and values in turn; one without a value is left out
    Html open(String element, String... attributes) {
        start(element, attributes);
        out.append('>');
        open.push(element);
        return this;
    }

    /// Closes the element that was opened last.
    Html close() {
        out.append("</").append(open.pop()).append('>');
        if (open.size() <= 4) {
            out.append('\n');
        }
        return this;
    }

    /// An element with nothing inside, of those that HTML knows as such or SVG's.
    Html empty(String element, String... attributes) {
        start(element, attributes);
        out.append("/>");
        return this;
    }

    /// An element around a text.
    Html element(String element, String text, String... attributes) {
        return open(element, attributes).text(text).close();
    }

    Html text(String text) {
        escape(text, false);
        return this;
    }

    /// The program's own style sheet, as it is.
    Html style(String sheet) {
        Check.that(sheet.indexOf('<') < 0 && sheet.indexOf('&') < 0, "markup in a style sheet");
        out.append("<style>\n").append(sheet).append("</style>\n");
        return this;
    }

    String finish() {
        Check.that(open.isEmpty(), "still open: %s", open);
        return out.append('\n').toString();
    }

    private void start(String element, String... attributes) {
        out.append('<').append(element);
        for (int i = 0; i < attributes.length; i += 2) {
            if (attributes[i + 1].isEmpty()) {
                continue;
            }
            out.append(' ').append(attributes[i]).append("=\"");
            escape(attributes[i + 1], true);
            out.append('"');
        }
    }

    private void escape(String text, boolean attribute) {
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append(attribute ? "&quot;" : "\"");
                case '\n' -> out.append(attribute ? "&#10;" : "\n");
                default -> out.appendCodePoint(isText(c) ? c : REPLACEMENT);
            }
        }
    }

    /// Whether XML has the character, and a reader may see it without harm to the text around it.
    private static boolean isText(int c) {
        boolean surrogate = c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
        boolean direction = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
        boolean none = (c & 0xfffe) == 0xfffe;
        return (!Character.isISOControl(c) || c == '\t') && !surrogate && !direction && !none;
    }
}

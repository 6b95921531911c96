package trapline.engine.text;

import trapline.engine.text.Node.Place;

/// Where the characters of a scalar stand in its file, however YAML folded, indented or quoted them.
///
/// All styles keep a scalar's characters in order and change only the white space between; but for escapes
/// in double quotes, whose places are not told.
///
/// @param file the file's text, or empty
/// @param at where the scalar begins there
record Written(String file, int at) {

    static final Written NOWHERE = new Written("", 0);

    /// @param text the scalar's text
    /// @param start where the scalar begins
    Place place(String text, int offset, Place start) {
        if (at < 0 || at >= file.length() || escapes()) {
            return start;
        }
        boolean single = file.charAt(at) == '\'';
        int next = first();
        int last = next;
        for (int seen = visible(text, offset); seen > 0 && next < file.length(); next++) {
            if (!Character.isWhitespace(file.charAt(next))) {
                next += single && file.startsWith("''", next) ? 1 : 0;
                last = next + 1;
                seen--;
            }
        }
        boolean visible = offset < text.length() && !Character.isWhitespace(text.charAt(offset));
        return place(visible ? skipSpace(next) : last, start);
    }

    /// Where the scalar's characters can begin: after the mark or, in a block, after the line of the mark.
    private int first() {
        return switch (file.charAt(at)) {
            case '|', '>' -> file.indexOf('\n', at) + 1;
            case '\'', '"' -> at + 1;
            default -> at;
        };
    }

    private boolean escapes() {
        if (file.charAt(at) != '"') {
            return false;
        }
        int end = file.indexOf('"', at + 1);
        int escape = file.indexOf('\\', at + 1);
        return escape >= 0 && escape < end;
    }

    /// How many characters that are not white space come before an offset.
    private static int visible(String text, int offset) {
        return (int)
                text.substring(0, Math.min(offset, text.length()))
                        .chars()
                        .filter(c -> !Character.isWhitespace(c))
                        .count();
    }

    private int skipSpace(int from) {
        int next = from;
        while (next < file.length() && Character.isWhitespace(file.charAt(next))) {
            next++;
        }
        return next;
    }

    private Place place(int index, Place start) {
        int line = 1 + (int) file.substring(0, index).chars().filter(c -> c == '\n').count();
        int column = index - file.lastIndexOf('\n', index - 1);
        return new Place(start.file(), line, column);
    }
}

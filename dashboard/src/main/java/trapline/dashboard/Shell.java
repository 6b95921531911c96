package trapline.dashboard;

/// Command lines that a reader can copy.
final class Shell {

    private Shell() {}

    /// A call of this program.
    static String line(String... words) {
        StringBuilder line = new StringBuilder("trapline");
        for (String word : words) {
            line.append(' ').append(quoted(word));
        }
        return line.toString();
    }

    /// As a POSIX shell reads it as one word.
    private static String quoted(String word) {
        return word.matches("[A-Za-z0-9_=,.:/+@%-]+")
                ? word
                : "'" + word.replace("'", "'\\''") + "'";
    }
}

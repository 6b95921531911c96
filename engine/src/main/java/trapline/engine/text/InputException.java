package trapline.engine.text;

/// A user's file, name or value is not usable. The message is one line with the place and what was expected;
/// an expression may follow, with the place marked.
public final class InputException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public enum Kind {
        /// Not YAML, or not the grammar of the file.
        SYNTAX,
        /// A name that nothing has.
        UNKNOWN_NAME,
        /// Well-formed, but impossible here.
        NOT_APPLICABLE,
        /// Too long, too deep or too much.
        TOO_LARGE,
        UNREADABLE
    }

    private final Kind kind;
    private final String place;

    /// @param place `file:line:column`, or empty
    public InputException(Kind kind, String place, String message) {
        super(place.isEmpty() ? message : place + ": " + message);
        this.kind = kind;
        this.place = place;
    }

    public Kind kind() {
        return kind;
    }

    public String place() {
        return place;
    }
}

package trapline.schemas;

/// A record that is not what we wrote.
public final class WireException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /// What is wrong with the record.
    public enum Kind {
        /// It has none of our headers.
        FOREIGN,
        /// Its schema is not known here: a newer program wrote it.
        UNKNOWN_SCHEMA,
        /// Its bytes changed since it was written, or it is not complete.
        DAMAGED,
        /// It is whole, but does not follow the record before it.
        OUT_OF_PLACE
    }

    private final Kind kind;

    public WireException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }
}

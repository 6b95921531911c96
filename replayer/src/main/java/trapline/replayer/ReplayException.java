package trapline.replayer;

/// A session cannot be replayed as asked.
public final class ReplayException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public enum Kind {
        /// The log's bytes are not what was recorded.
        DAMAGED,
        /// A newer program wrote the session.
        NEWER,
        /// The session has no such vCPU, event or rule.
        NO_SUCH_PLACE,
        /// The session's kind, or its policy and host, do not allow it.
        NOT_APPLICABLE
    }

    private final Kind kind;
    private final String place;

    /// @param place `topic-partition@offset` or `file@position`; empty where there is none
    public ReplayException(Kind kind, String place, String message) {
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

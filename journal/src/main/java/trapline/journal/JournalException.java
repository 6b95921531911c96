package trapline.journal;

/// The log, the broker or the file is not as it has to be.
public final class JournalException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public enum Kind {
        /// No broker answers, or it went away.
        UNREACHABLE,
        /// The broker refuses: authentication, authorization, quota, a topic with the wrong
        /// settings.
        REFUSED,
        /// The log has not the topics it needs.
        NO_LOG,
        NO_SESSION,
        /// More than one session begins with that name.
        AMBIGUOUS,
        /// Bytes changed, are missing, or are not ours.
        DAMAGED,
        /// A newer program wrote this.
        NEWER,
        /// No room left on the disk, or no permission to write.
        STORAGE,
        /// The log is in use by another process that cannot be joined.
        BUSY,
        /// The settings of the log are wrong.
        CONFIGURATION
    }

    private final Kind kind;
    private final String place;

    /// @param place `topic-partition@offset`, a file, an address; empty where there is none
    public JournalException(Kind kind, String place, String message) {
        super(place.isEmpty() ? message : place + ": " + message);
        this.kind = kind;
        this.place = place;
    }

    public JournalException(Kind kind, String place, String message, Throwable cause) {
        super(place.isEmpty() ? message : place + ": " + message, cause);
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

package trapline.engine;

/// The program itself is wrong: the run stops.
public final class BrokenInvariant extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public BrokenInvariant(String message) {
        super(message);
    }

    public BrokenInvariant(String message, Throwable cause) {
        super(message, cause);
    }
}

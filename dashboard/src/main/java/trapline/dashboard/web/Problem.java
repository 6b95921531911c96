package trapline.dashboard.web;

/// A request that cannot be answered: a status and one sentence for who asked.
public final class Problem extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final int status;

    public Problem(int status, String sentence) {
        super(sentence, null, false, false);
        this.status = status;
    }

    public static Problem badRequest(String format, Object... arguments) {
        return new Problem(400, format.formatted(arguments));
    }

    public static Problem notFound(String format, Object... arguments) {
        return new Problem(404, format.formatted(arguments));
    }

    public int status() {
        return status;
    }
}

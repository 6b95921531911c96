package trapline.engine;

/// What must hold if this program is right. Always on.
public final class Check {

    private Check() {}

    public static void that(boolean condition, String format, Object... arguments) {
        if (!condition) {
            throw new BrokenInvariant(String.format(java.util.Locale.ROOT, format, arguments));
        }
    }

    public static void that(boolean condition, String message) {
        if (!condition) {
            throw new BrokenInvariant(message);
        }
    }
}

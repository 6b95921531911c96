package trapline.journal.session;

/// Waits for a log to grow.
public final class Patience {

    private static final long MILLIS = 100;

    private Patience() {}

    /// Waits a moment; false if the thread was interrupted, which it then still is.
    public static boolean pause() {
        try {
            Thread.sleep(MILLIS);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}

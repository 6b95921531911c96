package trapline.replayer.explore;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import trapline.engine.event.Envelope;
import trapline.replayer.Session;

/// Reads a session from its first event on in a thread of its own, to its end even if that is still to come.
///
/// It rests while somebody waits for an answer.
final class Background implements AutoCloseable {

    /// So many events are read before it looks whether to rest or to stop.
    private static final int EVENTS_AT_A_TIME = 256;

    private static final long LEAVE_MILLIS = 2000;

    private final Supplier<Session> open;
    private final AtomicInteger asking;
    private final Reader reader;
    private final Thread thread;
    private volatile boolean stopped;

    /// What becomes of the events.
    interface Reader {

        /// @return whether it wants more
        boolean event(Envelope envelope);

        /// There are no more, because the session has ended, or what went wrong.
        void end(Optional<String> problem);
    }

    /// @param asking how many wait for an answer now
    Background(String name, Supplier<Session> open, AtomicInteger asking, Reader reader) {
        this.open = open;
        this.asking = asking;
        this.reader = reader;
        thread = new Thread(this::run, name);
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        try (Session session = open.get()) {
            session.follow(
                    Optional.empty(), (envelope, _) -> mayGoOn(envelope) && reader.event(envelope));
            end(Optional.empty());
        } catch (RuntimeException e) {
            end(Optional.of(String.valueOf(e.getMessage())));
        } catch (Throwable e) {
            end(
                    Optional.of(
                            "reading it in the background failed: "
                                    + e.getClass().getSimpleName()));
        }
    }

    private void end(Optional<String> problem) {
        if (!stopped) {
            reader.end(problem);
        }
    }

    private boolean mayGoOn(Envelope envelope) {
        if (envelope.stamp().order() % EVENTS_AT_A_TIME == 0) {
            try {
                while (asking.get() > 0 && !stopped) {
                    Thread.sleep(1);
                }
            } catch (InterruptedException e) {
                stopped = true;
            }
        }
        return !stopped;
    }

    /// Afterwards the thread has gone, unless the log keeps it waiting.
    @Override
    public void close() {
        stopped = true;
        thread.interrupt();
        try {
            thread.join(LEAVE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

package trapline.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// Ctrl-C, or a SIGTERM: a command that has something to bring to an end is asked to, and given time.
///
/// The process ends with 130 or 143, as a shell expects of these signals, whatever the command answers.
final class Interrupt implements AutoCloseable, BooleanSupplier {

    /// Thrown where a command cannot but be left: the user wants no answer any more.
    static final class Stopped extends RuntimeException {

        private static final long serialVersionUID = 1;

        Stopped() {
            super("interrupted", null, false, false);
        }
    }

    private static final long PATIENCE_SECONDS = 20;

    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread hook = new Thread(this::stop, "trapline-interrupt");
    private volatile boolean stopped;
    private volatile boolean held;
    private volatile Thread waiting;

    Interrupt() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /// From now on there is something to bring to an end: a session, a broker, lines not yet written.
    void hold() {
        held = true;
    }

    /// Whether to go on.
    @Override
    public boolean getAsBoolean() {
        return !stopped;
    }

    /// @throws Stopped if not
    void check() {
        if (stopped) {
            throw new Stopped();
        }
    }

    /// Runs what waits for others, and takes an interrupt of its thread as a wish to end.
    void whileWaiting(Runnable work) {
        waiting = Thread.currentThread();
        try {
            work.run();
        } finally {
            synchronized (this) {
                waiting = null;
                Thread.interrupted();
            }
        }
    }

    private void stop() {
        stopped = true;
        synchronized (this) {
            if (waiting != null) {
                waiting.interrupt();
            }
        }
        try {
            if (held && !ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                System.err.println("trapline: gave up waiting for the log");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        ended.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM is on its way out already.
        }
    }
}

package trapline.journal.session;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;

/// Items made in a thread of their own, a few ahead of whoever takes them.
///
/// @param <T> what is made
public final class Prefetch<T> implements AutoCloseable {

    private static final int AHEAD = 4;

    private final Source<T> source;
    private final BlockingQueue<Outcome<T>> made = new ArrayBlockingQueue<>(AHEAD);
    private final Thread thread;
    private volatile boolean stopped;

    /// Makes the next item, in the other thread; null at the end.
    public interface Source<T> {
        T next();
    }

    /// An item, or why there is none; neither at the end.
    private record Outcome<T>(T item, Throwable failure) {}

    public Prefetch(String name, Source<T> source) {
        this.source = source;
        thread = new Thread(this::run, name);
        thread.setDaemon(true);
        thread.start();
    }

    /// The next item; null at the end.
    public T next() {
        try {
            Outcome<T> next = made.take();
            return switch (next.failure()) {
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                case null, default -> next.item();
            };
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new JournalException(Kind.UNREACHABLE, "", "interrupted while reading", e);
        }
    }

    private void run() {
        try {
            boolean more = true;
            while (more && !stopped) {
                Outcome<T> next = make();
                more = next.item() != null;
                made.put(next);
            }
        } catch (InterruptedException e) {
            // Nobody waits any more.
        }
    }

    private Outcome<T> make() {
        try {
            return new Outcome<>(source.next(), null);
        } catch (RuntimeException | Error e) {
            return new Outcome<>(null, e);
        }
    }

    /// Makes no more; afterwards the other thread is gone.
    @Override
    public void close() {
        stopped = true;
        boolean interrupted = false;
        while (thread.isAlive()) {
            made.clear();
            try {
                thread.join(5);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

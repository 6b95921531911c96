package trapline.replayer.parting;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import trapline.engine.event.Envelope;
import trapline.replayer.Session;

/// A session's events for somebody who asks for the next, read ahead by a thread of its own.
final class Feed implements AutoCloseable {

    private static final int BATCH = 512;
    private static final int BATCHES = 8;

    private final Session session;
    private final Ignored ignored;

    /// An empty batch is the last.
    private final BlockingQueue<List<Envelope>> queue = new ArrayBlockingQueue<>(BATCHES);

    private final Thread thread;
    private List<Envelope> filling = new ArrayList<>(BATCH);
    private volatile boolean closed;
    private volatile RuntimeException failure;
    private List<Envelope> batch = List.of();
    private int next;
    private boolean ended;

    Feed(Session session, Ignored ignored) {
        this.session = session;
        this.ignored = ignored;
        thread = Thread.ofPlatform().daemon().name("trapline-feed").start(this::read);
    }

    private void read() {
        try {
            session.events((envelope, _) -> ignored.drops(envelope) || add(envelope));
        } catch (RuntimeException e) {
            failure = e;
        }
        if (!filling.isEmpty()) {
            hand();
        }
        hand();
    }

    /// @return whether to go on
    private boolean add(Envelope envelope) {
        filling.add(envelope);
        if (filling.size() == BATCH) {
            hand();
        }
        return !closed;
    }

    private void hand() {
        try {
            queue.put(filling);
        } catch (InterruptedException _) {
            closed = true;
        }
        filling = new ArrayList<>(BATCH);
    }

    /// The next event, or null at the end.
    Envelope next() {
        while (next == batch.size() && !ended) {
            batch = take();
            next = 0;
            ended = batch.isEmpty();
        }
        if (ended && failure != null) {
            throw failure;
        }
        return ended ? null : batch.get(next++);
    }

    private List<Envelope> take() {
        try {
            return queue.take();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return List.of();
        }
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }
}

package trapline.recorder.observe;

import com.google.common.util.concurrent.Uninterruptibles;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import trapline.engine.event.Envelope;

/// Hands events in batches to a thread that writes them, so that reading a trace and writing a session share the
/// machine.
///
/// An interrupt ends the reading, not what has been read. The writer's first failure comes out of the call that hands on the next batch, or of [#close].
final class Lane implements AutoCloseable {

    private static final int BATCH = 2048;
    private static final int BATCHES = 8;

    private record Item(ObservedSession session, Envelope envelope) {}

    /// An empty batch is the last.
    private final BlockingQueue<List<Item>> queue = new ArrayBlockingQueue<>(BATCHES);

    private final Thread thread;
    private List<Item> batch = new ArrayList<>(BATCH);
    private volatile Throwable failure;

    Lane() {
        thread = Thread.ofPlatform().daemon().name("trapline-import").start(this::run);
    }

    private void run() {
        try {
            for (List<Item> items = queue.take(); !items.isEmpty(); items = queue.take()) {
                if (failure == null) {
                    write(items);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// After a failure, what still comes is taken and dropped, so that nobody waits.
    private void write(List<Item> items) {
        try {
            items.forEach(item -> item.session().accept(item.envelope()));
        } catch (RuntimeException | Error e) {
            failure = e;
        }
    }

    void add(ObservedSession session, Envelope envelope) {
        batch.add(new Item(session, envelope));
        if (batch.size() == BATCH) {
            flush();
        }
    }

    /// Hands on what there is.
    void flush() {
        if (!batch.isEmpty()) {
            Uninterruptibles.putUninterruptibly(queue, batch);
            batch = new ArrayList<>(BATCH);
        }
        rethrow();
    }

    private void rethrow() {
        switch (failure) {
            case null -> {}
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException(failure);
        }
    }

    /// Waits until all is written.
    @Override
    public void close() {
        if (!batch.isEmpty()) {
            Uninterruptibles.putUninterruptibly(queue, batch);
            batch = new ArrayList<>();
        }
        Uninterruptibles.putUninterruptibly(queue, List.of());
        Uninterruptibles.joinUninterruptibly(thread);
        rethrow();
    }
}

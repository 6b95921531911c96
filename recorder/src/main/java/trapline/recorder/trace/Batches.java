package trapline.recorder.trace;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/// The way from the thread that parses to the one that reads: a few batches long, so that neither runs far ahead.
final class Batches {

    private static final int AHEAD = 8;

    /// Ends them.
    static final Batch LAST = new Batch();

    private final BlockingQueue<Batch> queue = new ArrayBlockingQueue<>(AHEAD);
    private Batch current = new Batch();
    private long bytes;

    /// The batch that takes the next fact.
    Batch current() throws InterruptedException {
        if (current.isFull()) {
            flush();
        }
        return current;
    }

    void bytes(long read) {
        bytes = read;
    }

    /// Hands on what there is.
    void flush() throws InterruptedException {
        if (!current.isEmpty()) {
            current.bytes = bytes;
            queue.put(current);
            current = new Batch();
        }
    }

    void end() throws InterruptedException {
        flush();
        queue.put(LAST);
    }

    /// The next one, or null if there is none for a while.
    Batch take(long millis) throws InterruptedException {
        return queue.poll(millis, TimeUnit.MILLISECONDS);
    }
}

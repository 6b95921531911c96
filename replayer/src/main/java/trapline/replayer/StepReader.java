package trapline.replayer;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.function.Consumer;
import trapline.replayer.RecordedSteps.Recorded;

/// Reads a session's steps ahead of who takes them, a few batches at most, in a thread of its own.
final class StepReader implements AutoCloseable {

    private static final int BATCH = 2048;
    private static final int AHEAD = 4;

    private final Session session;
    private final BlockingQueue<Batch> batches = new ArrayBlockingQueue<>(AHEAD);
    private final Thread thread = new Thread(this::read, "trapline-steps");
    private volatile Throwable failure;

    /// @param order the last event read for it
    record Batch(List<Recorded> steps, long order) {}

    StepReader(Session session) {
        this.session = session;
        thread.setDaemon(true);
        thread.start();
    }

    /// Reads a session's steps in the calling thread.
    static void each(Session session, Consumer<Batch> taker) {
        try {
            read(session, taker::accept);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /// The next steps; none after the last.
    Batch next() {
        try {
            Batch batch = batches.take();
            if (batch.steps().isEmpty()) {
                rethrow(failure);
            }
            return batch;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /// Throws again what ended another thread; nothing if nothing did.
    static void rethrow(Throwable failure) {
        switch (failure) {
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case null, default -> {}
        }
    }

    /// Whatever happens, who waits gets an end.
    private void read() {
        try {
            try {
                read(session, batches::put);
            } catch (RuntimeException | Error e) {
                failure = e;
            }
            batches.put(new Batch(List.of(), 0));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // nobody takes them any more
        }
    }

    /// Who takes batches, and may have to wait before that.
    interface Taker {
        void take(Batch batch) throws InterruptedException;
    }

    /// Interrupted, it hands over no more.
    private static void read(Session session, Taker taker) throws InterruptedException {
        StepSource source = session.steps();
        Filling filling = new Filling(taker);
        session.events((envelope, _) -> {
            source.accept(envelope, step -> filling.add(step, envelope.stamp().order()));
            return filling.wanted;
        });
        source.finish(step -> filling.add(step, filling.order));
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        if (!filling.steps.isEmpty()) {
            taker.take(new Batch(filling.steps, filling.order));
        }
    }

    /// The batch that is being read.
    private static final class Filling {

        private final Taker taker;
        private List<Recorded> steps = new ArrayList<>(BATCH);
        private long order;

        /// Whether anybody wants more.
        private boolean wanted = true;

        Filling(Taker taker) {
            this.taker = taker;
        }

        void add(Recorded step, long at) {
            steps.add(step);
            order = at;
            if (steps.size() < BATCH) {
                return;
            }
            try {
                taker.take(new Batch(steps, order));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                wanted = false;
            }
            steps = new ArrayList<>(BATCH);
        }
    }

    /// Reads no more; afterwards the other thread is gone.
    @Override
    public void close() {
        boolean interrupted = false;
        thread.interrupt();
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

package trapline.fleet.diff;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import trapline.schemas.FleetResult.FleetState;

/// What a worker's share of the runs has seen since it started.
public final class FleetCounters {

    private final AtomicLong running = new AtomicLong();
    private final LongAdder done = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final LongAdder skipped = new LongAdder();

    void ran(int more) {
        running.addAndGet(more);
    }

    void ended(FleetState state) {
        (state == FleetState.DONE ? done : failed).increment();
    }

    void skip() {
        skipped.increment();
    }

    /// Tasks that are being evaluated.
    public long running() {
        return running.get();
    }

    /// Sessions evaluated.
    public long done() {
        return done.sum();
    }

    /// Sessions that could not be.
    public long failed() {
        return failed.sum();
    }

    /// Records skipped because they are no tasks of ours, or damaged.
    public long unreadable() {
        return skipped.sum();
    }
}

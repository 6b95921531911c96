package trapline.fleet.statistics;

import java.util.concurrent.atomic.LongAdder;

/// What a worker's statistics have seen since it started, repeated work included.
public final class Counters {

    private final LongAdder exits = new LongAdder();
    private final LongAdder unreadable = new LongAdder();
    private final LongAdder windows = new LongAdder();

    void exit() {
        exits.increment();
    }

    void skip() {
        unreadable.increment();
    }

    void window() {
        windows.increment();
    }

    /// Exits counted.
    public long exits() {
        return exits.sum();
    }

    /// Records skipped because they are no exits of ours, or damaged.
    public long unreadable() {
        return unreadable.sum();
    }

    /// Windows written, again and again as they grow.
    public long windows() {
        return windows.sum();
    }
}

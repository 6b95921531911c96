package trapline.replayer.times;

import java.util.Arrays;

/// One thing in each window of a trace: how long that is, how often it happened, how often it was timed and what those
/// took together.
record Sample(double[] seconds, double[] counts, double[] timed, double[] sums) {

    long count() {
        return (long) Arrays.stream(counts).sum();
    }

    long timedCount() {
        return (long) Arrays.stream(timed).sum();
    }

    /// How often a second.
    Ratio rate() {
        return Ratio.of(counts, seconds);
    }

    /// How long each.
    Ratio mean() {
        return Ratio.of(sums, timed);
    }
}

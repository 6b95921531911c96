package trapline.replayer.times;

/// What durations amount to.
public record Spread(
        long count,
        long sum,
        long min,
        double mean,
        double deviation,
        long p50,
        long p95,
        long p99,
        long max) {

    static Spread of(Durations durations) {
        long[] percentiles = durations.percentiles(50, 95, 99);
        return new Spread(
                durations.count(),
                durations.sum(),
                durations.min(),
                durations.mean(),
                durations.deviation(),
                percentiles[0],
                percentiles[1],
                percentiles[2],
                durations.max());
    }
}

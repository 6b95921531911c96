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
        return new Spread(
                durations.count(),
                durations.sum(),
                durations.min(),
                durations.mean(),
                durations.deviation(),
                durations.percentile(50),
                durations.percentile(95),
                durations.percentile(99),
                durations.max());
    }
}

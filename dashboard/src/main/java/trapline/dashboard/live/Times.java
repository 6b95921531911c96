package trapline.dashboard.live;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.HdrHistogram.AbstractHistogram;
import org.HdrHistogram.Histogram;

/// How long a window's exits took, at rest: percentiles, and the histogram to add to others.
record Times(long count, long p50, long p90, long p99, long max, byte[] histogram) {

    /// Digits of windows' percentiles.
    static final int DIGITS = 2;

    /// What nothing takes: some twelve days in nanoseconds.
    private static final long LONGEST = 1L << 50;

    static Histogram empty() {
        return new Histogram(DIGITS);
    }

    static void record(AbstractHistogram histogram, long time) {
        histogram.recordValue(Math.clamp(time, 0, LONGEST));
    }

    /// Null where nothing was timed.
    static Times of(AbstractHistogram histogram) {
        if (histogram.getTotalCount() == 0) {
            return null;
        }
        ByteBuffer buffer = ByteBuffer.allocate(histogram.getNeededByteBufferCapacity());
        histogram.encodeIntoByteBuffer(buffer);
        byte[] bytes = new byte[buffer.position()];
        buffer.flip().get(bytes);
        return new Times(
                histogram.getTotalCount(),
                histogram.getValueAtPercentile(50),
                histogram.getValueAtPercentile(90),
                histogram.getValueAtPercentile(99),
                histogram.getMaxValue(),
                bytes);
    }

    void addTo(AbstractHistogram other) {
        other.add(Histogram.decodeFromByteBuffer(ByteBuffer.wrap(histogram), 0));
    }

    SequencedMap<String, Object> tree() {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("p50", p50);
        tree.put("p90", p90);
        tree.put("p99", p99);
        tree.put("max", max);
        return tree;
    }
}

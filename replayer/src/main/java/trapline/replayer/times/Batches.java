package trapline.replayer.times;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// What happened in each of some equal windows of a trace's time, whose length grows with the trace's.
final class Batches implements Tap {

    /// Windows that a trace is cut into in the end.
    static final int BATCHES = 32;

    private static final int FINE = 512;
    private static final int GROUPS = 1_000;

    private final Map<Dimension, Map<Long, Series>> series = new EnumMap<>(Dimension.class);
    private final Series total = new Series();
    private int shift = 10;
    private boolean begun;
    private long origin;
    private long last;
    private int window;
    private long leftOut;

    /// Counts and times of one thing by window.
    private static final class Series {
        long[] counts = new long[4];
        long[] timed = new long[4];
        long[] sums = new long[4];

        void reach(int at) {
            if (at >= counts.length) {
                int length = Integer.highestOneBit(at) << 1;
                counts = Arrays.copyOf(counts, length);
                timed = Arrays.copyOf(timed, length);
                sums = Arrays.copyOf(sums, length);
            }
        }

        void fold() {
            fold(counts);
            fold(timed);
            fold(sums);
        }

        private static void fold(long[] values) {
            for (int i = 0; i < values.length; i += 2) {
                long both = values[i] + values[i + 1];
                values[i] = 0;
                values[i + 1] = 0;
                values[i / 2] = both;
            }
        }
    }

    Batches(Set<Dimension> dimensions) {
        dimensions.forEach(dimension -> series.put(dimension, new HashMap<>()));
    }

    @Override
    public void time(long now) {
        if (!begun) {
            begun = true;
            origin = now;
            last = now;
        }
        last = Math.max(last, now);
        long at = Math.max(0, now - origin) >> shift;
        while (at >= FINE) {
            total.fold();
            series.values().forEach(map -> map.values().forEach(Series::fold));
            shift++;
            at >>= 1;
        }
        window = (int) at;
    }

    @Override
    public void happened(Dimension dimension, long code) {
        if (dimension == Dimension.VCPU) {
            happened(total);
        }
        Series found = find(dimension, code);
        if (found != null) {
            happened(found);
        }
    }

    private void happened(Series found) {
        found.reach(window);
        found.counts[window]++;
    }

    @Override
    public void took(Dimension dimension, long code, long duration) {
        if (dimension == Dimension.VCPU) {
            took(total, duration);
        }
        Series found = find(dimension, code);
        if (found != null) {
            took(found, duration);
        }
    }

    private void took(Series found, long duration) {
        found.reach(window);
        found.timed[window]++;
        found.sums[window] += duration;
    }

    private Series find(Dimension dimension, long code) {
        Map<Long, Series> map = series.get(dimension);
        if (map == null) {
            return null;
        }
        Series found = map.get(code);
        if (found == null && map.size() < GROUPS) {
            found = new Series();
            map.put(code, found);
        }
        leftOut += found == null ? 1 : 0;
        return found;
    }

    /// The trace's length.
    long span() {
        return last - origin;
    }

    /// What was counted for no one, since there were too many to count for.
    long leftOut() {
        return leftOut;
    }

    /// The codes of a dimension, in ascending order.
    Set<Long> codes(Dimension dimension) {
        return new TreeSet<>(series.get(dimension).keySet());
    }

    Sample total() {
        return sample(total);
    }

    Sample of(Dimension dimension, long code) {
        return Optional.ofNullable(series.get(dimension).get(code))
                .map(this::sample)
                .orElseGet(() -> sample(new Series()));
    }

    /// One thing in each of the windows that the trace is cut into in the end, all as long but for a fine one.
    private Sample sample(Series of) {
        int fine = begun ? (int) (span() >> shift) + 1 : 1;
        int count = Math.min(BATCHES, fine);
        double[] seconds = new double[count];
        double[] counts = new double[count];
        double[] timed = new double[count];
        double[] sums = new double[count];
        for (int i = 0; i < count; i++) {
            int from = (int) ((long) i * fine / count);
            int to = (int) ((i + 1L) * fine / count);
            long end = Math.min((long) to << shift, span());
            seconds[i] = (end - ((long) from << shift)) / 1e9;
            for (int at = from; at < Math.min(to, of.counts.length); at++) {
                counts[i] += of.counts[at];
                timed[i] += of.timed[at];
                sums[i] += of.sums[at];
            }
        }
        return new Sample(seconds, counts, timed, sums);
    }
}

package trapline.dashboard.live;

import java.util.Arrays;

/// Counts by number.
final class Counts {

    private long[] counts = new long[8];

    void add(int number, long times) {
        if (number >= counts.length) {
            counts = Arrays.copyOf(counts, Math.max(number + 1, 2 * counts.length));
        }
        counts[number] += times;
    }

    long of(int number) {
        return number < counts.length ? counts[number] : 0;
    }

    /// Adds what [#pairs] gave.
    void add(long[] pairs) {
        for (int i = 0; i < pairs.length; i += 2) {
            add((int) pairs[i], pairs[i + 1]);
        }
    }

    /// Numbers, each followed by its count, without those that are 0.
    long[] pairs() {
        long[] pairs = new long[2 * counts.length];
        int size = 0;
        for (int number = 0; number < counts.length; number++) {
            if (counts[number] != 0) {
                pairs[size++] = number;
                pairs[size++] = counts[number];
            }
        }
        return Arrays.copyOf(pairs, size);
    }

    void clear() {
        Arrays.fill(counts, 0);
    }
}

package trapline.fleet.statistics;

import java.util.Arrays;

/// Counts by number: a hash table of two arrays, since each exit is counted in two of them.
final class LongCounts {

    private static final long SPREAD = 0x9e37_79b9_7f4a_7c15L;

    /// The one number that cannot be counted.
    private static final long NONE = Long.MIN_VALUE;

    private long[] keys = none(16);
    private long[] counts = new long[16];
    private int size;

    interface Visitor {
        void count(long key, long count);
    }

    int size() {
        return size;
    }

    boolean has(long key) {
        return key != NONE && keys[place(key)] == key;
    }

    void add(long key, long count) {
        int at = place(key);
        if (keys[at] == NONE) {
            if (2 * size >= keys.length) {
                grow();
                at = place(key);
            }
            keys[at] = key;
            size++;
        }
        counts[at] += count;
    }

    /// In the order of the numbers.
    void each(Visitor visitor) {
        Arrays.stream(keys)
                .filter(key -> key != NONE)
                .sorted()
                .forEach(key -> visitor.count(key, counts[place(key)]));
    }

    private int place(long key) {
        int at = (int) ((key * SPREAD) >>> 32) & (keys.length - 1);
        while (keys[at] != key && keys[at] != NONE) {
            at = (at + 1) & (keys.length - 1);
        }
        return at;
    }

    private void grow() {
        long[] oldKeys = keys;
        long[] oldCounts = counts;
        keys = none(2 * oldKeys.length);
        counts = new long[keys.length];
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldKeys[i] != NONE) {
                int at = place(oldKeys[i]);
                keys[at] = oldKeys[i];
                counts[at] = oldCounts[i];
            }
        }
    }

    private static long[] none(int length) {
        long[] keys = new long[length];
        Arrays.fill(keys, NONE);
        return keys;
    }
}

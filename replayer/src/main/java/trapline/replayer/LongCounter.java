package trapline.replayer;

import java.util.SortedMap;
import java.util.TreeMap;

/// Counts by number, without an object for each.
final class LongCounter {

    private long[] keys = new long[64];
    private long[] counts = new long[64];
    private int size;

    void add(long key) {
        add(key, 1);
    }

    void add(long key, long times) {
        int slot = slot(key);
        if (counts[slot] == 0) {
            if (size * 2 >= keys.length) {
                grow();
                slot = slot(key);
            }
            keys[slot] = key;
            size++;
        }
        counts[slot] += times;
    }

    /// The counts in ascending order of keys.
    SortedMap<Long, Long> sorted() {
        SortedMap<Long, Long> sorted = new TreeMap<>();
        for (int slot = 0; slot < keys.length; slot++) {
            if (counts[slot] != 0) {
                sorted.put(keys[slot], counts[slot]);
            }
        }
        return sorted;
    }

    private int slot(long key) {
        int mask = keys.length - 1;
        int slot = (int) ((key * 0x9e37_79b9_7f4a_7c15L) >>> 40) & mask;
        while (counts[slot] != 0 && keys[slot] != key) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private void grow() {
        long[] oldKeys = keys;
        long[] oldCounts = counts;
        keys = new long[2 * oldKeys.length];
        counts = new long[keys.length];
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldCounts[i] != 0) {
                int slot = slot(oldKeys[i]);
                keys[slot] = oldKeys[i];
                counts[slot] = oldCounts[i];
            }
        }
    }
}

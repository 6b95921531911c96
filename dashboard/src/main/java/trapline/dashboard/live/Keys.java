package trapline.dashboard.live;

import java.util.Arrays;

/// Numbers keys from 1 on in the order in which they come, up to a bound; all others are 0.
///
/// Keys are never forgotten, so [#keys] may be read by other threads up to a number they were told.
final class Keys {

    static final int OTHER = 0;

    private final int most;
    private long[] slots = new long[16];
    private int[] numbers = new int[16];
    private volatile long[] keys = new long[8];
    private int size = 1;

    Keys(int most) {
        this.most = most;
    }

    int number(long key) {
        int slot = slot(key);
        return numbers[slot] != 0 ? numbers[slot] : added(key, slot);
    }

    private int added(long key, int slot) {
        if (size > most) {
            return OTHER;
        }
        if (size == keys.length) {
            keys = Arrays.copyOf(keys, 2 * size);
        }
        keys[size] = key;
        slots[slot] = key;
        numbers[slot] = size++;
        if (2 * size > slots.length) {
            grow();
        }
        return size - 1;
    }

    private void grow() {
        slots = new long[2 * slots.length];
        numbers = new int[slots.length];
        for (int number = 1; number < size; number++) {
            int slot = slot(keys[number]);
            slots[slot] = keys[number];
            numbers[slot] = number;
        }
    }

    private int slot(long key) {
        int mask = slots.length - 1;
        int slot = (int) ((key * 0x9e37_79b9_7f4a_7c15L) >>> 40) & mask;
        while (numbers[slot] != 0 && slots[slot] != key) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    /// One more than the last number.
    int size() {
        return size;
    }

    /// By number.
    long[] keys() {
        return keys;
    }
}

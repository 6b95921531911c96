package trapline.engine.state;

import java.util.Arrays;

/// MSR values by index. An MSR that was never written is absent.
public final class MsrFile {

    private int[] keys = new int[64];
    private long[] values = new long[64];
    private boolean[] used = new boolean[64];
    private int size;

    MsrFile() {}

    private MsrFile(MsrFile other) {
        keys = other.keys.clone();
        values = other.values.clone();
        used = other.used.clone();
        size = other.size;
    }

    public boolean has(int msr) {
        return used[slot(msr)];
    }

    /// The value, or 0 for an MSR that was never written.
    public long get(int msr) {
        int slot = slot(msr);
        return used[slot] ? values[slot] : 0;
    }

    /// All indices present, in unsigned order.
    public int[] indices() {
        int[] found = new int[size];
        int n = 0;
        for (int slot = 0; slot < keys.length; slot++) {
            if (used[slot]) {
                found[n++] = keys[slot] ^ Integer.MIN_VALUE;
            }
        }
        Arrays.sort(found);
        for (int i = 0; i < found.length; i++) {
            found[i] ^= Integer.MIN_VALUE;
        }
        return found;
    }

    void put(int msr, long value) {
        int slot = slot(msr);
        if (!used[slot]) {
            if (size * 2 >= keys.length) {
                grow();
                slot = slot(msr);
            }
            used[slot] = true;
            keys[slot] = msr;
            size++;
        }
        values[slot] = value;
    }

    MsrFile copy() {
        return new MsrFile(this);
    }

    private int slot(int msr) {
        int mask = keys.length - 1;
        int slot = ((msr * 0x9e37_79b9) >>> 16) & mask;
        while (used[slot] && keys[slot] != msr) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private void grow() {
        MsrFile old = new MsrFile(this);
        keys = new int[old.keys.length * 2];
        values = new long[keys.length];
        used = new boolean[keys.length];
        size = 0;
        for (int slot = 0; slot < old.keys.length; slot++) {
            if (old.used[slot]) {
                put(old.keys[slot], old.values[slot]);
            }
        }
    }
}

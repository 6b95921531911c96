package trapline.engine.state;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A pCPU's return-address predictor, as far as guests use it: the entries that are tagged as a guest's (FACTS 3.6).
///
/// An entry knows who pushed it (a vCPU, as L1 or L2) and, in place of an address, how deep that call was.
/// Entries that one owner pushed call after call are kept as one run, so that it stays small.
public final class ReturnStack {

    private int[] owners = new int[4];
    private long[] depths = new long[4];
    private int[] counts = new int[4];
    private int runs;
    private int size;

    ReturnStack() {}

    /// What so many returns would find.
    ///
    /// @param predicted the entry of the very call
    /// @param mispredicted an entry of the same owner, but of another call
    /// @param foreignLevel an entry that L1 pushed for L2, or the reverse
    /// @param foreignVcpu an entry of another vCPU
    /// @param empty nothing
    public record Found(
            long predicted, long mispredicted, long foreignLevel, long foreignVcpu, long empty) {}

    /// Entries of one owner that lie side by side, the newest of them of the given depth.
    public record Run(int vcpu, int level, long depth, int entries) {}

    /// What it holds, the oldest first.
    public List<Run> content() {
        List<Run> content = new ArrayList<>();
        for (int i = 0; i < runs; i++) {
            content.add(new Run(owners[i] / 2, owners[i] % 2 + 1, depths[i], counts[i]));
        }
        return content;
    }

    public boolean isEmpty() {
        return size == 0;
    }

    /// How many entries it holds.
    public int size() {
        return size;
    }

    /// Whether it holds an entry of the vCPU's other level.
    public boolean holdsOtherLevel(VcpuState vcpu) {
        int other = owner(vcpu) ^ 1;
        for (int i = 0; i < runs; i++) {
            if (owners[i] == other) {
                return true;
            }
        }
        return false;
    }

    /// What `count` returns of a vCPU find, from the newest entry on.
    public Found find(VcpuState vcpu, long count) {
        int me = owner(vcpu);
        long depth = vcpu.callDepth();
        long predicted = 0;
        long mispredicted = 0;
        long foreignLevel = 0;
        long foreignVcpu = 0;
        long left = count;
        for (int i = runs - 1; i >= 0 && left > 0; i--) {
            long taken = Math.min(left, counts[i]);
            if (owners[i] == me && depths[i] == depth) {
                predicted += taken;
            } else if (owners[i] == me) {
                mispredicted += taken;
            } else if (owners[i] == (me ^ 1)) {
                foreignLevel += taken;
            } else {
                foreignVcpu += taken;
            }
            depth -= taken;
            left -= taken;
        }
        return new Found(predicted, mispredicted, foreignLevel, foreignVcpu, left);
    }

    private static int owner(VcpuState vcpu) {
        return vcpu.id() * 2 + vcpu.level() - 1;
    }

    /// Calls of a vCPU, whose depth is what it is after them; the oldest entries make room.
    void push(VcpuState vcpu, long count, int capacity) {
        int owner = owner(vcpu);
        int kept = (int) Math.min(count, capacity);
        long depth = vcpu.callDepth();
        int top = runs - 1;
        if (top >= 0 && owners[top] == owner && depths[top] == depth - count) {
            depths[top] = depth;
            counts[top] += kept;
            size += kept;
        } else {
            append(owner, depth, kept);
        }
        limit(capacity);
    }

    void append(int owner, long depth, int count) {
        if (runs == owners.length) {
            owners = Arrays.copyOf(owners, 2 * runs);
            depths = Arrays.copyOf(depths, 2 * runs);
            counts = Arrays.copyOf(counts, 2 * runs);
        }
        owners[runs] = owner;
        depths[runs] = depth;
        counts[runs++] = count;
        size += count;
    }

    void pop(long count) {
        long left = count;
        while (runs > 0 && left > 0) {
            int taken = (int) Math.min(left, counts[runs - 1]);
            depths[runs - 1] -= taken;
            counts[runs - 1] -= taken;
            size -= taken;
            left -= taken;
            if (counts[runs - 1] == 0) {
                runs--;
            }
        }
    }

    /// Whoever runs now has so many entries: older ones are gone.
    void limit(int capacity) {
        int gone = 0;
        while (size > capacity) {
            int dropped = Math.min(size - capacity, counts[gone]);
            counts[gone] -= dropped;
            size -= dropped;
            if (counts[gone] == 0) {
                gone++;
            }
        }
        if (gone > 0) {
            runs -= gone;
            System.arraycopy(owners, gone, owners, 0, runs);
            System.arraycopy(depths, gone, depths, 0, runs);
            System.arraycopy(counts, gone, counts, 0, runs);
        }
    }

    void clear() {
        runs = 0;
        size = 0;
    }

    int runs() {
        return runs;
    }

    int owner(int run) {
        return owners[run];
    }

    long depth(int run) {
        return depths[run];
    }

    int count(int run) {
        return counts[run];
    }

    ReturnStack copy() {
        ReturnStack copy = new ReturnStack();
        for (int i = 0; i < runs; i++) {
            copy.append(owners[i], depths[i], counts[i]);
        }
        return copy;
    }
}

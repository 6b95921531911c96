package trapline.replayer;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import trapline.engine.event.Envelope;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.HypervisorEvent.NestedBitmapMerged;
import trapline.engine.event.HypervisorEvent.NestedExited;
import trapline.engine.event.Stamp;

/// Which MSR accesses exited when: all that an execution did to the MSR bitmaps of its vCPUs.
///
/// However long the execution, memory is bounded: of each row the first changes are kept one by one and all
/// of them as a [Strip]; what is left out is counted.
public final class InterceptionTimeline {

    static final int MOST_ROWS = 4096;
    static final int MOST_CHANGES = 1000;
    static final int MOST_CHANGES_IN_ALL = 100_000;

    private static final int L1_RUNS = 0;

    /// L2 runs, and the bitmap of 02 says what exits.
    public static final int L2_RUNS = 1;

    /// L2 runs, with 01's map (SVM) or with every access exiting (VMX).
    public static final int L2_RUNS_WITHOUT = 2;

    private final SortedMap<Long, Row> rows = new TreeMap<>();
    private final Strip[] nested;
    private int changes;
    private long leftOut;

    InterceptionTimeline(int vcpus) {
        nested = new Strip[vcpus];
    }

    /// What exits from the next op on.
    public record Change(long op, long order, boolean read, boolean write) {}

    /// One MSR in one bitmap of a vCPU: 1 while L1 runs, 2 while L2 does.
    public final class Row {

        private final int vcpu;
        private final int bitmap;
        private final int msr;
        private final List<Change> first = new ArrayList<>();
        private final Strip strip = new Strip(state(true, true));
        private long count;

        private Row(int vcpu, MsrInterceptChanged event) {
            this.vcpu = vcpu;
            bitmap = event.bitmap();
            msr = event.msr();
        }

        private void add(Stamp stamp, MsrInterceptChanged event) {
            count++;
            strip.change(stamp.op(), state(event.read(), event.write()));
            if (first.size() < MOST_CHANGES && changes < MOST_CHANGES_IN_ALL) {
                changes++;
                first.add(new Change(stamp.op(), stamp.order(), event.read(), event.write()));
            }
        }

        public int vcpu() {
            return vcpu;
        }

        public int bitmap() {
            return bitmap;
        }

        public int msr() {
            return msr;
        }

        /// The first changes, in order; every MSR starts intercepted.
        public List<Change> changes() {
            return List.copyOf(first);
        }

        /// How many more there are.
        public long leftOut() {
            return count - first.size();
        }

        /// All of them, as [#state] numbers what exits.
        public Strip strip() {
            return strip;
        }
    }

    /// Bit 0 where reads exit, bit 1 where writes do.
    public static int state(boolean read, boolean write) {
        return (read ? 1 : 0) | (write ? 2 : 0);
    }

    void add(Envelope envelope) {
        Stamp stamp = envelope.stamp();
        switch (envelope.event()) {
            case MsrInterceptChanged e -> changed(stamp, e);
            case NestedBitmapMerged e -> level(stamp, e.usable() ? L2_RUNS : L2_RUNS_WITHOUT);
            case NestedExited _ -> level(stamp, L1_RUNS);
            default -> {}
        }
    }

    private void changed(Stamp stamp, MsrInterceptChanged event) {
        long key =
                (long) stamp.vcpu() << 40
                        | (long) event.bitmap() << 32
                        | Integer.toUnsignedLong(event.msr());
        Row row = rows.get(key);
        if (row == null) {
            if (rows.size() == MOST_ROWS) {
                leftOut++;
                return;
            }
            row = new Row(stamp.vcpu(), event);
            rows.put(key, row);
        }
        row.add(stamp, event);
    }

    private void level(Stamp stamp, int level) {
        if (nested[stamp.vcpu()] == null) {
            nested[stamp.vcpu()] = new Strip(L1_RUNS);
        }
        nested[stamp.vcpu()].change(stamp.op(), level);
    }

    /// By vCPU, bitmap and MSR; an MSR that was always intercepted has none.
    public List<Row> rows() {
        return List.copyOf(rows.values());
    }

    /// Changes of MSRs that have no row, because there are too many rows.
    public long leftOut() {
        return leftOut;
    }

    /// Which level a vCPU ran at; empty where that was always L1.
    public Optional<Strip> nested(int vcpu) {
        return Optional.ofNullable(nested[vcpu]);
    }
}

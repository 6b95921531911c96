package trapline.replayer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import trapline.engine.event.Envelope;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.state.Vendor;

/// How often a vCPU exited and why over its guest ops, in as much memory for ten ops as for ten million.
///
/// A bin stands for a power of two of ops; when the bins no longer reach, two become one.
public final class ExitBins {

    /// vCPUs beyond have none.
    static final int MOST_VCPUS = 64;

    /// Further reasons are counted as one without a name.
    static final int MOST_REASONS = 32;

    static final int BINS = 512;

    private final Vendor vendor;
    private final Row[] rows;

    ExitBins(Vendor vendor, int vcpus) {
        this.vendor = vendor;
        rows = new Row[Math.min(vcpus, MOST_VCPUS)];
    }

    /// Ops from the first to the last one.
    public record Bin(long first, long last, long exits, Map<String, Long> reasons) {}

    private static final class Row {
        private static final long OTHERS = Long.MIN_VALUE;

        private final Map<Long, long[]> reasons = new TreeMap<>();
        private int shift;

        void add(long op, long reason) {
            while (bin(op) >= BINS) {
                reasons.values().forEach(Row::halve);
                shift++;
            }
            counts(reason)[bin(op)]++;
        }

        private long[] counts(long reason) {
            long[] known = reasons.get(reason);
            if (known == null) {
                long named = reasons.size() < MOST_REASONS ? reason : OTHERS;
                known = reasons.computeIfAbsent(named, _ -> new long[BINS]);
            }
            return known;
        }

        /// What is before the first op is at it.
        private int bin(long op) {
            return (int) Math.min(Integer.MAX_VALUE, Math.max(0, op - 1) >>> shift);
        }

        private static void halve(long[] counts) {
            for (int i = 0; i < BINS / 2; i++) {
                counts[i] = counts[2 * i] + counts[2 * i + 1];
            }
            Arrays.fill(counts, BINS / 2, BINS, 0);
        }
    }

    void add(Envelope envelope) {
        int vcpu = envelope.stamp().vcpu();
        if (envelope.event() instanceof VmExited exit && vcpu < rows.length) {
            if (rows[vcpu] == null) {
                rows[vcpu] = new Row();
            }
            rows[vcpu].add(envelope.stamp().op(), exit.reason());
        }
    }

    /// Those of one vCPU in which it exited.
    public List<Bin> of(int vcpu, long lastOp) {
        List<Bin> bins = new ArrayList<>();
        Row row = vcpu < rows.length ? rows[vcpu] : null;
        for (int i = 0; row != null && i < BINS; i++) {
            Map<String, Long> reasons = new TreeMap<>();
            long exits = 0;
            for (Map.Entry<Long, long[]> reason : row.reasons.entrySet()) {
                long count = reason.getValue()[i];
                if (count > 0) {
                    reasons.put(name(reason.getKey()), count);
                    exits += count;
                }
            }
            if (exits > 0) {
                long first = ((long) i << row.shift) + 1;
                long last = Math.max(first, Math.min(lastOp, (long) (i + 1) << row.shift));
                bins.add(new Bin(first, last, exits, reasons));
            }
        }
        return bins;
    }

    private String name(long reason) {
        return reason == Row.OTHERS ? "other" : Names.exit(vendor, reason);
    }
}

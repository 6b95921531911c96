package trapline.replayer;

import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.SortedMap;
import java.util.TreeMap;
import trapline.engine.event.HardwareEvent.RapCause;
import trapline.engine.event.HardwareEvent.RapFlushed;
import trapline.engine.event.HardwareEvent.ReturnsPredicted;

/// Counts of the return-address predictor: what returns found in it, and why it was flushed.
public final class ReturnTally {

    private static final RapCause[] CAUSES = RapCause.values();

    private final long[] flushes = new long[CAUSES.length];
    private long predicted;
    private long mispredicted;
    private long foreignLevel;
    private long foreignVcpu;
    private long empty;

    void add(ReturnsPredicted e) {
        predicted += e.predicted();
        mispredicted += e.mispredicted();
        foreignLevel += e.foreignLevel();
        foreignVcpu += e.foreignVcpu();
        empty += e.empty();
    }

    void add(RapFlushed e) {
        flushes[e.cause().ordinal()]++;
    }

    /// Flushes by cause.
    public SortedMap<String, Long> flushes() {
        SortedMap<String, Long> byCause = new TreeMap<>();
        for (RapCause cause : CAUSES) {
            if (flushes[cause.ordinal()] != 0) {
                byCause.put(Names.camel(cause.name()), flushes[cause.ordinal()]);
            }
        }
        return byCause;
    }

    /// How many flushes there were.
    public long flushed() {
        long sum = 0;
        for (long count : flushes) {
            sum += count;
        }
        return sum;
    }

    /// How many of them the hypervisor asked for.
    public long asked() {
        long sum = 0;
        for (RapCause cause : CAUSES) {
            sum += cause.asked() ? flushes[cause.ordinal()] : 0;
        }
        return sum;
    }

    /// What returns found, by kind; empty where there were none.
    public SequencedMap<String, Long> returns() {
        SequencedMap<String, Long> byKind = new LinkedHashMap<>();
        if (predicted + mispredicted + foreignLevel + foreignVcpu + empty != 0) {
            byKind.put("predicted", predicted);
            byKind.put("mispredicted", mispredicted);
            byKind.put("foreignLevel", foreignLevel);
            byKind.put("foreignVcpu", foreignVcpu);
            byKind.put("empty", empty);
        }
        return byKind;
    }

    /// Whether the guest used the predictor, or the hypervisor cared for it.
    boolean used() {
        return flushed() != 0 || !returns().isEmpty();
    }
}

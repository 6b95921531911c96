package trapline.replayer.explore;

import java.util.List;
import java.util.function.Predicate;
import trapline.engine.event.Envelope;
import trapline.engine.state.MachineState;
import trapline.replayer.Rebuild;

/// Some events in a row, and what was before the first of them.
///
/// @param before the order number of the event before the first one
/// @param start the state there; null where a trace has none
/// @param seqs the last sequence number of each vCPU there
record Chunk(long before, MachineState start, long[] seqs, List<Envelope> events, String place) {

    /// Events of a chunk that is not the last one.
    static final int SIZE = 20_000;

    /// The number of the chunk that an event is in.
    static long number(long order) {
        return Math.max(0, order - 1) / SIZE;
    }

    long number() {
        return before / SIZE;
    }

    /// The order number of its last event.
    long last() {
        return before + events.size();
    }

    boolean full() {
        return events.size() == SIZE;
    }

    boolean has(long order) {
        return order > before && order <= last();
    }

    Envelope event(long order) {
        return events.get((int) (order - before - 1));
    }

    /// A state of its own after an event, or before the first one.
    MachineState after(long order) {
        MachineState machine = start.copy();
        for (long next = before + 1; next <= order; next++) {
            fold(machine, next);
        }
        return machine;
    }

    /// Folds the event with this order number.
    void fold(MachineState machine, long order) {
        Rebuild.apply(machine, event(order), () -> place);
    }

    /// The first event behind an order number that is such a one, or null.
    Envelope next(long order, Predicate<Envelope> wanted) {
        for (long at = Math.max(order, before) + 1; at <= last(); at++) {
            if (wanted.test(event(at))) {
                return event(at);
            }
        }
        return null;
    }

    /// The last event before an order number that is such a one, or null.
    Envelope previous(long order, Predicate<Envelope> wanted) {
        for (long at = Math.min(order - 1, last()); at > before; at--) {
            if (wanted.test(event(at))) {
                return event(at);
            }
        }
        return null;
    }
}

package trapline.replayer.explore;

import java.util.LinkedHashMap;
import java.util.OptionalInt;
import java.util.SequencedMap;
import trapline.engine.event.Envelope;
import trapline.engine.state.MachineState;

/// Looks for the next or the previous event of a kind, a chunk at a time, until its time is spent.
final class Seek {

    private static final long BUDGET_NANOS = 800_000_000;

    private final Events events;
    private final Wanted wanted;
    private final OptionalInt vcpu;
    private final long deadline = System.nanoTime() + BUDGET_NANOS;

    /// @param vcpu empty for any
    Seek(Events events, Wanted wanted, OptionalInt vcpu) {
        this.events = events;
        this.wanted = wanted;
        this.vcpu = vcpu;
    }

    /// @param place null if none was found
    /// @param searchedTo how far: the last order number looked at
    /// @param more whether it is worth going on there
    record Found(Envelope place, long searchedTo, boolean more) {

        SequencedMap<String, Object> tree() {
            SequencedMap<String, Object> tree = new LinkedHashMap<>();
            tree.put("place", place == null ? null : EventTree.place(place.stamp()));
            if (place == null) {
                tree.put("searchedTo", searchedTo);
                tree.put("more", more);
            }
            return tree;
        }
    }

    /// The first one behind an event.
    Found next(long order) {
        long number = Chunk.number(order + 1);
        while (true) {
            Chunk chunk = events.chunk(number);
            Envelope found = first(chunk, order);
            if (found != null || !chunk.full()) {
                return new Found(found, Math.max(order, chunk.last()), false);
            }
            if (System.nanoTime() > deadline) {
                return new Found(null, chunk.last(), true);
            }
            number++;
        }
    }

    /// The last one before an event.
    Found previous(long order) {
        long number = Chunk.number(order - 1);
        while (true) {
            Chunk chunk = events.chunk(number);
            Envelope found = last(chunk, order);
            if (found != null || number == 0) {
                return new Found(found, 0, false);
            }
            if (System.nanoTime() > deadline) {
                return new Found(null, chunk.before() + 1, true);
            }
            number--;
        }
    }

    private Envelope first(Chunk chunk, long after) {
        MachineState machine = begin(chunk);
        for (long order = chunk.before() + 1; order <= chunk.last(); order++) {
            Envelope event = chunk.event(order);
            if (fits(event, chunk, machine) && order > after) {
                return event;
            }
        }
        return null;
    }

    private Envelope last(Chunk chunk, long until) {
        MachineState machine = begin(chunk);
        Envelope found = null;
        for (long order = chunk.before() + 1; order <= chunk.last() && order < until; order++) {
            Envelope event = chunk.event(order);
            if (fits(event, chunk, machine)) {
                found = event;
            }
        }
        return found;
    }

    private MachineState begin(Chunk chunk) {
        if (!wanted.needsState()) {
            return null;
        }
        MachineState machine = chunk.start().copy();
        wanted.begin(machine);
        return machine;
    }

    private boolean fits(Envelope event, Chunk chunk, MachineState machine) {
        if (machine != null) {
            chunk.fold(machine, event.stamp().order());
        }
        boolean other = vcpu.isPresent() && vcpu.getAsInt() != event.stamp().vcpu();
        return (machine != null || !other) && wanted.fits(event, machine) && !other;
    }
}

package trapline.replayer.explore;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Predicate;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Stamp;
import trapline.engine.event.Tracepoint;

/// What is around one event: its causes, its effects, its neighbours on the vCPU.
final class PlaceView {

    private static final int AROUND = 20;
    private static final int MOST_CAUSES = 100;
    private static final int MOST_EFFECTS = 100;

    /// Farther away than this nothing is looked for.
    private static final int REACH = Chunk.SIZE / 2;

    private final Events events;
    private final EventTree tree;

    PlaceView(Events events) {
        this.events = events;
        tree = new EventTree(events.session().vendor());
    }

    EventTree tree() {
        return tree;
    }

    /// What led to an event, the nearest cause first, back to what nothing in the log caused.
    List<Envelope> causes(Envelope event) {
        List<Envelope> causes = new ArrayList<>();
        long cause = event.stamp().cause();
        while (cause != 0 && causes.size() < MOST_CAUSES) {
            Envelope next = events.event(cause);
            causes.add(next);
            cause = next.stamp().cause();
        }
        return causes;
    }

    /// The guest's op that an exit interrupted, which is recorded when it ends; null where there is none.
    Envelope guestOp(Envelope event, List<Envelope> causes) {
        Envelope root = causes.isEmpty() ? event : causes.getLast();
        if (!(root.event() instanceof VmExited)) {
            return null;
        }
        Stamp at = root.stamp();
        Envelope found =
                next(
                        root,
                        next ->
                                next.stamp().vcpu() == at.vcpu()
                                        && (next.stamp().op() != at.op()
                                                || next.event() instanceof GuestEvent));
        return found != null && found.stamp().op() == at.op() ? found : null;
    }

    /// The next such event that is not too far away.
    private Envelope next(Envelope from, Predicate<Envelope> wanted) {
        long order = from.stamp().order();
        Chunk chunk = events.holding(order);
        Envelope found = chunk.next(order, wanted);
        if (found == null && chunk.full()) {
            found = events.chunk(chunk.number() + 1).next(order, wanted);
        }
        return found != null && found.stamp().order() - order <= REACH ? found : null;
    }

    /// What an event caused by itself.
    ///
    /// @param more whether there are more
    record Effects(List<Envelope> events, boolean more) {}

    /// They come before anything that nothing caused happens on the vCPU; in a trace, before its next exit.
    Effects effects(Envelope event) {
        Collecting collecting = new Collecting(event);
        next(event, collecting);
        return new Effects(collecting.found, collecting.more);
    }

    private static final class Collecting implements Predicate<Envelope> {

        private final Stamp of;
        private final List<Envelope> found = new ArrayList<>();
        private boolean more;

        Collecting(Envelope event) {
            of = event.stamp();
        }

        /// @return whether there can be no more
        @Override
        public boolean test(Envelope next) {
            if (next.stamp().order() - of.order() > REACH) {
                return true;
            }
            if (next.stamp().cause() == of.order()) {
                if (found.size() == MOST_EFFECTS) {
                    more = true;
                    return true;
                }
                found.add(next);
            }
            return next.stamp().vcpu() == of.vcpu() && ends(next);
        }

        private static boolean ends(Envelope next) {
            return next.event() instanceof TracepointHit hit
                    ? hit.point() == Tracepoint.KVM_EXIT
                    : next.stamp().cause() == 0
                            && !(next.event() instanceof trapline.engine.event.ObservedEvent);
        }
    }

    /// The event and its neighbours of the same vCPU, in order; of the vCPU's first ones before all.
    ///
    /// @param event null before the first
    List<Envelope> around(int vcpu, Envelope event) {
        long order = event == null ? 0 : event.stamp().order();
        Predicate<Envelope> own = next -> next.stamp().vcpu() == vcpu;
        Deque<Envelope> around = new ArrayDeque<>();
        if (event != null) {
            around.add(event);
            before(order, own, around);
        }
        after(order, own, around);
        return List.copyOf(around);
    }

    private void before(long order, Predicate<Envelope> own, Deque<Envelope> around) {
        Chunk chunk = events.holding(order);
        long limit = Math.max(0, order - REACH);
        long at = order;
        while (around.size() <= AROUND && at > limit) {
            Envelope found = chunk.previous(at, own);
            if (found != null) {
                around.addFirst(found);
                at = found.stamp().order();
            } else if (chunk.before() > limit) {
                at = chunk.before() + 1;
                chunk = events.chunk(chunk.number() - 1);
            } else {
                return;
            }
        }
    }

    private void after(long order, Predicate<Envelope> own, Deque<Envelope> around) {
        Chunk chunk = events.holding(order);
        int wanted = around.size() + AROUND;
        long at = order;
        while (around.size() < wanted && at < order + REACH) {
            Envelope found = chunk.next(at, own);
            if (found != null) {
                around.addLast(found);
                at = found.stamp().order();
            } else if (chunk.full() && chunk.last() < order + REACH) {
                at = chunk.last();
                chunk = events.chunk(chunk.number() + 1);
            } else {
                return;
            }
        }
    }

    /// Where a vCPU is that no event of it has reached yet.
    static SequencedMap<String, Object> beginning(int vcpu) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        for (String name : new String[] {"order", "vcpu", "seq", "tick", "op", "pcpu"}) {
            tree.put(name, name.equals("vcpu") ? (Object) (long) vcpu : (Object) 0L);
        }
        return tree;
    }
}

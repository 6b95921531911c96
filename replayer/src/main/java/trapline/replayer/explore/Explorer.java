package trapline.replayer.explore;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.Set;
import trapline.engine.cost.CostProfile;
import trapline.engine.event.Envelope;
import trapline.engine.table.Field;
import trapline.engine.table.Msrs;
import trapline.journal.Journal;
import trapline.journal.SessionReader;
import trapline.replayer.EventFields.Hex;
import trapline.replayer.Session;
import trapline.replayer.SessionRows;
import trapline.schemas.CheckpointRef;

/// Looks at one session at any place, as trees that JSON is made of.
///
/// A place is the order number of an event, or a vCPU and its own sequence number. No question reads the whole session:
/// state is folded from the checkpoint before. Any thread may ask; one at a time is answered.
public final class Explorer implements AutoCloseable {

    private static final int MOST_CHECKPOINTS = 500;

    private final Events events;
    private volatile long asked = System.nanoTime();

    /// @param journal where the session is opened again, while it is still being recorded
    /// @param session to be closed with this
    public Explorer(Journal journal, Session session) {
        events = new Events(journal, session);
    }

    /// The session's full name.
    public synchronized String session() {
        return events.session().name();
    }

    /// How long nobody has asked for anything.
    long idleNanos() {
        return System.nanoTime() - asked;
    }

    /// What there is to look at.
    public synchronized SequencedMap<String, Object> info() {
        asked = System.nanoTime();
        Session session = events.session();
        SequencedMap<String, Object> tree = new LinkedHashMap<>(SessionRows.tree(session.entry()));
        tree.put("vcpuCount", events.vcpus());
        tree.put("vcpus", vcpus());
        tree.put("events", events.last());
        tree.put("vendor", session.imported() ? null : session.vendor().name());
        tree.put("checkpoints", checkpoints(session.reader()));
        tree.put("fields", session.imported() ? List.of() : fields(session));
        tree.put("msrs", msrs());
        tree.put("costs", CostProfile.builtIn());
        return tree;
    }

    private List<Object> vcpus() {
        List<Object> rows = new ArrayList<>();
        for (int vcpu = 0; vcpu < events.vcpus(); vcpu++) {
            SequencedMap<String, Object> row = new LinkedHashMap<>();
            long seq = events.last(vcpu);
            row.put("vcpu", vcpu);
            row.put("events", seq);
            row.put("ticks", null);
            rows.add(row);
        }
        return rows;
    }

    /// Some of them, evenly spread.
    private static List<Object> checkpoints(SessionReader reader) {
        int count = reader.checkpoints();
        int step = Math.max(1, Math.ceilDiv(count, MOST_CHECKPOINTS));
        List<Object> rows = new ArrayList<>();
        for (int number = step - 1; number < count; number += step) {
            CheckpointRef ref = reader.checkpointRef(number);
            SequencedMap<String, Object> row = new LinkedHashMap<>();
            row.put("order", ref.order());
            row.put("seqs", boxed(ref.seqs()));
            row.put("ticks", boxed(ref.ticks()));
            rows.add(row);
        }
        return rows;
    }

    private static List<Object> boxed(long[] values) {
        List<Object> boxed = new ArrayList<>(values.length);
        for (long value : values) {
            boxed.add(value);
        }
        return boxed;
    }

    private static List<Object> fields(Session session) {
        return session.vendor().layout().fields().stream().<Object>map(Field::name).toList();
    }

    private static List<Object> msrs() {
        List<Object> rows = new ArrayList<>();
        for (String name : Msrs.names()) {
            SequencedMap<String, Object> row = new LinkedHashMap<>();
            row.put("msr", new Hex(Integer.toUnsignedLong(Msrs.parse(name).orElseThrow())));
            row.put("name", name);
            rows.add(row);
        }
        return rows;
    }

    /// The place after a vCPU's event; 0 is before its first.
    public synchronized SequencedMap<String, Object> at(int vcpu, long seq) {
        asked = System.nanoTime();
        events.checkVcpu(vcpu);
        return at(vcpu, seq == 0 ? null : events.event(vcpu, seq));
    }

    /// The place after a vCPU's last event.
    public synchronized SequencedMap<String, Object> atEnd(int vcpu) {
        events.checkVcpu(vcpu);
        return at(vcpu, events.last(vcpu));
    }

    /// The place after an event of the whole session, or the one where a vCPU stands then; 0 is before the first.
    public synchronized SequencedMap<String, Object> at(long order, OptionalInt vcpu) {
        asked = System.nanoTime();
        vcpu.ifPresent(events::checkVcpu);
        Envelope event = order == 0 ? null : events.event(order);
        if (vcpu.isPresent() && event != null && event.stamp().vcpu() != vcpu.getAsInt()) {
            event = lastOf(vcpu.getAsInt(), order);
        }
        return at(event == null ? vcpu.orElse(0) : event.stamp().vcpu(), event);
    }

    /// A vCPU's last event up to an order number; null where there is none.
    private Envelope lastOf(int vcpu, long order) {
        Chunk chunk = events.holding(order);
        Envelope found = chunk.previous(order, event -> event.stamp().vcpu() == vcpu);
        if (found != null) {
            return found;
        }
        long seq = vcpu < chunk.seqs().length ? chunk.seqs()[vcpu] : 0;
        return seq == 0 ? null : events.event(vcpu, seq);
    }

    private SequencedMap<String, Object> at(int vcpu, Envelope event) {
        PlaceView view = new PlaceView(events);
        States states = new States(events);
        EventTree trees = view.tree();
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put(
                "place",
                event == null ? PlaceView.beginning(vcpu) : EventTree.place(event.stamp()));
        tree.put("event", event == null ? null : trees.of(event));
        if (event == null) {
            tree.put("state", states.beginning(vcpu));
            tree.put("changed", List.of());
        } else {
            States.Pair pair = states.around(event);
            tree.put("state", pair.after());
            tree.put("changed", Changed.of(pair.before(), pair.after()));
        }
        putCauses(tree, view, event);
        tree.put("around", trees.of(view.around(vcpu, event)));
        tree.put("violations", List.of());
        tree.put("isFirst", event == null || event.stamp().order() == 1);
        tree.put("isLast", event != null && event.stamp().order() == events.last());
        return tree;
    }

    /// The first event of a kind behind an order number, or the last one before it.
    ///
    /// @param vcpu whose; empty for any
    /// @param to as [Targets] has it
    public synchronized SequencedMap<String, Object> seek(
            long order, OptionalInt vcpu, boolean next, String to) {
        asked = System.nanoTime();
        vcpu.ifPresent(events::checkVcpu);
        Seek seek = new Seek(events, Targets.of(to, events.session()), vcpu);
        long from = Math.min(order, events.last() + 1);
        return (next ? seek.next(from) : seek.previous(from)).tree();
    }

    /// What every vCPU did between two events: runs from the event that began each to the one that ended it.
    ///
    /// @param msrs whose interception is wanted; empty for SPEC_CTRL and those that change there
    public synchronized SequencedMap<String, Object> timeline(
            long from, long to, Set<Integer> msrs) {
        asked = System.nanoTime();
        long last = events.last();
        long end = Math.clamp(to, 0, last);
        long begin = Math.clamp(from, 0, end);
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("from", begin);
        tree.put("to", end);
        tree.put("last", last);
        tree.put("exact", true);
        tree.put("ready", 1);
        tree.put("lanes", new ExactTimeline(events).lanes(begin, end, msrs));
        return tree;
    }

    private static void putCauses(Map<String, Object> tree, PlaceView view, Envelope event) {
        EventTree trees = view.tree();
        List<Envelope> causes = event == null ? List.of() : view.causes(event);
        Envelope op = event == null ? null : view.guestOp(event, causes);
        PlaceView.Effects effects =
                event == null ? new PlaceView.Effects(List.of(), false) : view.effects(event);
        tree.put("causes", trees.of(causes));
        tree.put("guestOp", op == null ? null : trees.of(op));
        tree.put("effects", trees.of(effects.events()));
        tree.put("effectsMore", effects.more());
    }

    @Override
    public synchronized void close() {
        events.close();
    }
}

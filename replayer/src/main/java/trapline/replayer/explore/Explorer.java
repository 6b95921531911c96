package trapline.replayer.explore;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import trapline.engine.cost.CostProfile;
import trapline.engine.event.Envelope;
import trapline.engine.table.Field;
import trapline.engine.table.Msrs;
import trapline.journal.Journal;
import trapline.journal.SessionReader;
import trapline.replayer.EventFields.Hex;
import trapline.replayer.Session;
import trapline.replayer.SessionRows;
import trapline.schemas.CheckpointPage;
import trapline.schemas.CheckpointRef;

/// Looks at one session at any place, as trees that JSON is made of.
///
/// A place is the order number of an event, or a vCPU and its own sequence number. No question reads the whole session:
/// state is folded from the checkpoint before. Any thread may ask; one at a time is answered.
public final class Explorer implements AutoCloseable {

    private static final int MOST_CHECKPOINTS = 500;

    /// Of a long session each checkpoint would be in a page of its own, to be loaded for it.
    private static final int MOST_PAGES = 32;

    private final Events events;
    private final AtomicInteger asking;
    private final Scans scans;
    private volatile long asked = System.nanoTime();

    /// @param journal where the session is opened again, to read all of it in the background
    /// @param session to be closed with this
    public Explorer(Journal journal, Session session) {
        this(journal, session, new AtomicInteger());
    }

    /// @param asking how many wait for an answer about any session; then what is done in the background rests
    Explorer(Journal journal, Session session, AtomicInteger asking) {
        String name = session.name();
        events = new Events(journal, session);
        this.asking = asking;
        scans = new Scans(() -> Session.open(journal, name), asking);
    }

    /// One question at a time.
    private <T> T answer(Supplier<T> question) {
        asking.incrementAndGet();
        try {
            synchronized (this) {
                asked = System.nanoTime();
                scans.start(events.session());
                return question.get();
            }
        } finally {
            asking.decrementAndGet();
        }
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
    public SequencedMap<String, Object> info() {
        return answer(this::infoNow);
    }

    private SequencedMap<String, Object> infoNow() {
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
        int most = count <= MOST_PAGES * CheckpointPage.SIZE ? MOST_CHECKPOINTS : MOST_PAGES;
        int step = Math.max(1, Math.ceilDiv(count, most));
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
    public SequencedMap<String, Object> at(int vcpu, long seq) {
        return answer(() -> {
            events.checkVcpu(vcpu);
            return at(vcpu, seq == 0 ? null : events.event(vcpu, seq));
        });
    }

    /// The place after a vCPU's last event.
    public SequencedMap<String, Object> atEnd(int vcpu) {
        return answer(() -> {
            events.checkVcpu(vcpu);
            long seq = events.last(vcpu);
            return at(vcpu, seq == 0 ? null : events.event(vcpu, seq));
        });
    }

    /// The place after an event of the whole session, or the one where a vCPU stands then; 0 is before the first.
    public SequencedMap<String, Object> at(long order, OptionalInt vcpu) {
        return answer(() -> {
            vcpu.ifPresent(events::checkVcpu);
            Envelope event = order == 0 ? null : events.event(order);
            if (vcpu.isPresent() && event != null && event.stamp().vcpu() != vcpu.getAsInt()) {
                event = lastOf(vcpu.getAsInt(), order);
            }
            return at(event == null ? vcpu.orElse(0) : event.stamp().vcpu(), event);
        });
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
        States states = new States(events, scans.survey());
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
            tree.put(
                    "changed",
                    pair.before() == null ? List.of() : Changed.of(pair.before(), pair.after()));
        }
        tree.put("stateReady", tree.get("state") != null);
        putCauses(tree, view, event);
        tree.put("around", trees.of(view.around(vcpu, event)));
        putViolations(tree, event);
        tree.put("isFirst", event == null || event.stamp().order() == 1);
        tree.put("isLast", event != null && event.stamp().order() == events.last());
        return tree;
    }

    private void putViolations(Map<String, Object> tree, Envelope event) {
        Optional<Judgement> judgement = scans.judgement();
        List<Object> rows = new ArrayList<>();
        boolean ready = event == null || judgement.isEmpty();
        if (!ready) {
            Judgement judged = judgement.get();
            long order = event.stamp().order();
            ready = judged.knows(order);
            judged.between(order - 1, order, 1).forEach(broken -> rows.add(broken.tree()));
        }
        tree.put("violations", rows);
        tree.put("violationsReady", ready);
        tree.put("violationsNote", note(judgement));
    }

    /// Why not all is judged, or null.
    private String note(Optional<Judgement> judgement) {
        if (judgement.isPresent()) {
            return judgement.get().problem().orElse(null);
        }
        return events.session().imported()
                ? "rules judge what a model executed, not a trace"
                : "another version of the model recorded the session";
    }

    /// The first event of a kind behind an order number, or the last one before it.
    ///
    /// @param vcpu whose; empty for any
    /// @param to `violation`, or as [Targets] has it
    public SequencedMap<String, Object> seek(
            long order, OptionalInt vcpu, boolean next, String to) {
        if (to.equals("violation")) {
            long last =
                    answer(() -> {
                        vcpu.ifPresent(events::checkVcpu);
                        return events.last();
                    });
            ViolationSeek.Found found =
                    new ViolationSeek(scans.judgement(), vcpu, last).find(order, next);
            return answer(() -> found(found));
        }
        return answer(() -> {
            vcpu.ifPresent(events::checkVcpu);
            Seek seek = new Seek(events, Targets.of(to, events.session()), vcpu);
            long from = Math.min(order, events.last() + 1);
            return (next ? seek.next(from) : seek.previous(from)).tree();
        });
    }

    private SequencedMap<String, Object> found(ViolationSeek.Found found) {
        Judgement.Broken broken = found.place();
        if (broken == null) {
            return new Seek.Found(null, found.searchedTo(), found.more()).tree();
        }
        Envelope event = events.event(broken.order());
        SequencedMap<String, Object> tree = new Seek.Found(event, broken.order(), false).tree();
        tree.put("rule", broken.rule());
        tree.put("message", broken.message());
        return tree;
    }

    /// What every vCPU did between two events: runs from the event that began each to the one that ended it.
    ///
    /// A longer range is drawn from what was read of the session so far, with at most `most` bins a vCPU.
    ///
    /// @param msrs whose interception is wanted; empty for SPEC_CTRL and those that change there
    public SequencedMap<String, Object> timeline(long from, long to, int most, Set<Integer> msrs) {
        return answer(() -> {
            long last = events.last();
            long end = Math.clamp(to, 0, last);
            long begin = Math.clamp(from, 0, end);
            return end - begin <= ExactTimeline.MOST_EVENTS
                    ? exact(begin, end, last, most, msrs)
                    : coarse(begin, end, last, most, msrs);
        });
    }

    /// The whole session, as far as it has been read.
    public SequencedMap<String, Object> minimap(int most) {
        return answer(() -> {
            long last = events.last();
            return coarse(0, last, last, most, Set.of());
        });
    }

    private SequencedMap<String, Object> exact(
            long from, long to, long last, int most, Set<Integer> msrs) {
        SequencedMap<String, Object> tree = range(from, to, last);
        tree.put("exact", true);
        tree.put("ready", 1.0);
        if (events.session().imported()) {
            ObservedTimeline timeline = new ObservedTimeline(events);
            tree.put("lanes", timeline.lanes(from, to));
            tree.put("times", timeline.times());
        } else {
            tree.put("lanes", new ExactTimeline(events).lanes(from, to, msrs));
        }
        return judged(tree, from, to, last, most);
    }

    private SequencedMap<String, Object> coarse(
            long from, long to, long last, int most, Set<Integer> msrs) {
        Survey survey = scans.survey();
        SequencedMap<String, Object> tree = range(from, to, last);
        tree.put("exact", false);
        tree.put("ready", survey.ready(last));
        tree.putAll(survey.tree(from, to, most, msrs));
        return judged(tree, from, to, last, most);
    }

    private static SequencedMap<String, Object> range(long from, long to, long last) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("from", from);
        tree.put("to", to);
        tree.put("last", last);
        return tree;
    }

    /// Puts the rules that were broken into the lanes.
    private SequencedMap<String, Object> judged(
            SequencedMap<String, Object> tree, long from, long to, long last, int most) {
        Optional<Judgement> judgement = scans.judgement();
        tree.put("violationsReady", judgement.map(judged -> judged.ready(last)).orElse(1.0));
        tree.put("violationsLeftOut", judgement.map(Judgement::leftOut).orElse(0L));
        tree.put("violationsNote", note(judgement));
        if (judgement.isPresent()) {
            long piece = Math.max(1, (to - from) / most);
            Map<Integer, List<Object>> byVcpu = new HashMap<>();
            judgement
                    .get()
                    .between(from, to, piece)
                    .forEach(broken ->
                            byVcpu.computeIfAbsent(broken.vcpu(), _ -> new ArrayList<>())
                                    .add(broken.tree()));
            for (Object lane : (List<?>) tree.get("lanes")) {
                @SuppressWarnings("unchecked")
                Map<String, Object> row = (Map<String, Object>) lane;
                row.put("violations", byVcpu.getOrDefault(row.get("vcpu"), List.of()));
            }
        }
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
    public void close() {
        scans.close();
        synchronized (this) {
            events.close();
        }
    }
}

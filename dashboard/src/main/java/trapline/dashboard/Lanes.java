package trapline.dashboard;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import trapline.engine.table.Msrs;
import trapline.replayer.InterceptionTimeline;
import trapline.replayer.InterceptionTimeline.Change;
import trapline.replayer.InterceptionTimeline.Row;
import trapline.replayer.Strip.Span;

/// The rows of both sides' interception, side by side; MSRs with the same history share a lane.
final class Lanes {

    private static final int INTERCEPTED = InterceptionTimeline.state(true, true);

    private final List<Lane> changing = new ArrayList<>();
    private final List<Lane> constant = new ArrayList<>();

    /// MSRs of one bitmap of a vCPU for which both sides did the same things at the same ops.
    record Lane(int vcpu, int bitmap, List<Integer> msrs, Side base, Side candidate) {

        /// Whether the two sides' bitmaps had different histories.
        boolean differs() {
            return !base.history().equals(candidate.history());
        }

        /// Whether it changed while the guest ran, on either side.
        boolean moves() {
            return base.moves() > 0 || candidate.moves() > 0;
        }

        String names() {
            int shown = msrs.size() <= 3 ? msrs.size() : 2;
            List<String> names = msrs.stream().limit(shown).map(Msrs::name).toList();
            String more = msrs.size() > shown ? " and %d more".formatted(msrs.size() - shown) : "";
            return String.join(", ", names) + more;
        }

        String allNames() {
            return msrs.stream().map(Msrs::name).collect(Collectors.joining(", "));
        }

        /// What it is of, and what happened to it, on both sides.
        private List<Object> history() {
            return List.of(vcpu, bitmap, base.history(), candidate.history());
        }

        private Lane with(Lane other) {
            List<Integer> both = new ArrayList<>(msrs);
            both.addAll(other.msrs);
            return new Lane(
                    vcpu, bitmap, both, base.with(other.base), candidate.with(other.candidate));
        }
    }

    /// One side of a lane: a row of each MSR, or none where it left them intercepted for good.
    record Side(List<Row> rows) {

        List<Change> changes() {
            return rows.isEmpty() ? List.of() : rows.getFirst().changes();
        }

        private long leftOut() {
            return rows.isEmpty() ? 0 : rows.getFirst().leftOut();
        }

        /// All changes, of each MSR.
        long count() {
            return changes().size() + leftOut();
        }

        /// How often it changed after the vCPU was made.
        long moves() {
            return changes().stream().filter(change -> change.op() > 0).count() + leftOut();
        }

        /// What it was at each op.
        List<Span> spans(long ops, int most) {
            if (!rows.isEmpty()) {
                return rows.getFirst().strip().spans(ops, most);
            }
            return ops == 0 ? List.of() : List.of(new Span(1, ops, 1 << INTERCEPTED));
        }

        /// What it ended in, as [InterceptionTimeline#state] numbers it.
        int last() {
            return rows.isEmpty() ? INTERCEPTED : rows.getFirst().strip().state();
        }

        /// The numbers of the events of one change, of the first MSR and of the last one.
        List<Long> orders(int change) {
            return rows.stream().map(row -> row.changes().get(change).order()).toList();
        }

        private List<Object> history() {
            List<Object> history = new ArrayList<>();
            history.add(leftOut());
            for (Change change : changes()) {
                history.add(change.op());
                history.add(InterceptionTimeline.state(change.read(), change.write()));
            }
            return history;
        }

        private Side with(Side other) {
            List<Row> both = new ArrayList<>(rows);
            both.addAll(other.rows);
            return new Side(both);
        }
    }

    private record Key(int vcpu, int bitmap, int msr) implements Comparable<Key> {

        static Key of(Row row) {
            return new Key(row.vcpu(), row.bitmap(), row.msr());
        }

        @Override
        public int compareTo(Key other) {
            int vcpus = Integer.compare(vcpu, other.vcpu);
            int bitmaps = vcpus != 0 ? vcpus : Integer.compare(bitmap, other.bitmap);
            return bitmaps != 0 ? bitmaps : Integer.compareUnsigned(msr, other.msr);
        }
    }

    Lanes(InterceptionTimeline base, InterceptionTimeline candidate) {
        Map<Key, Row> before = new TreeMap<>();
        Map<Key, Row> after = new TreeMap<>();
        base.rows().forEach(row -> before.put(Key.of(row), row));
        candidate.rows().forEach(row -> after.put(Key.of(row), row));
        Map<Key, Row> all = new TreeMap<>(before);
        all.putAll(after);
        Map<List<Object>, Lane> lanes = new LinkedHashMap<>();
        for (Key key : all.keySet()) {
            Lane lane =
                    new Lane(
                            key.vcpu(),
                            key.bitmap(),
                            List.of(key.msr()),
                            side(before.get(key)),
                            side(after.get(key)));
            lanes.merge(lane.history(), lane, Lane::with);
        }
        for (Lane lane : lanes.values()) {
            (lane.moves() || lane.differs() ? changing : constant).add(lane);
        }
        changing.sort((a, b) -> Boolean.compare(b.differs(), a.differs()));
    }

    private static Side side(Row row) {
        return new Side(row == null ? List.of() : List.of(row));
    }

    /// Those that changed while the guest ran or differ between the sides; these come first.
    List<Lane> changing() {
        return changing;
    }

    /// Those that both sides set up alike and left.
    List<Lane> constant() {
        return constant;
    }
}

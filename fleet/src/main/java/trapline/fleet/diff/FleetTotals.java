package trapline.fleet.diff;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeMap;
import trapline.engine.cost.Range;
import trapline.engine.policy.Policies;
import trapline.schemas.DiffTotals;
import trapline.schemas.FleetResult;
import trapline.schemas.FleetResult.FleetState;
import trapline.schemas.FleetRun;

/// What a run's results say together, each session once.
///
/// Of sessions only the names are kept, and a few rows.
public final class FleetTotals {

    private static final int MOST_ROWS = 20;
    private static final int MOST_FAILURES = 100;

    private final FleetRun run;
    private final Set<String> sessions = new HashSet<>();
    private final OneSide base = new OneSide();
    private final OneSide candidate = new OneSide();
    private final List<Failed> failures = new ArrayList<>();
    private final PriorityQueue<Row> largest =
            new PriorityQueue<>(Comparator.comparingDouble(Row::weight));
    private long done;
    private long failed;
    private long events;
    private long parted;
    private long guestVisible;

    public FleetTotals(FleetRun run) {
        this.run = run;
    }

    /// A session that could not be evaluated, and why.
    public record Failed(String session, String error) {}

    /// A session's share in the difference.
    public record Row(String session, long baseExits, long candidateExits, double cycles) {

        double weight() {
            return Math.abs(cycles);
        }
    }

    /// The sums of one side.
    public static final class OneSide {

        private final Map<String, Long> byReason = new TreeMap<>();
        private final Map<String, Long> violations = new TreeMap<>();
        private long guestOps;
        private long exits;
        private Range cycles = Range.ZERO;

        private void add(DiffTotals totals) {
            guestOps += totals.guestOps();
            exits += totals.exits();
            totals.byReason().forEach(row -> byReason.merge(row.name(), row.count(), Long::sum));
            totals.violations()
                    .forEach(row -> violations.merge(row.name(), row.count(), Long::sum));
            cycles =
                    cycles.plus(
                            new Range(
                                    totals.cyclesLow(),
                                    totals.cyclesTypical(),
                                    totals.cyclesHigh()));
        }

        public Map<String, Long> byReason() {
            return byReason;
        }

        public Map<String, Long> violations() {
            return violations;
        }

        public long exits() {
            return exits;
        }

        public Range cycles() {
            return cycles;
        }

        private Map<String, Object> tree() {
            Map<String, Object> counted = new LinkedHashMap<>();
            counted.put("total", exits);
            counted.put("byReason", byReason);
            Map<String, Object> tree = new LinkedHashMap<>();
            tree.put("guestOps", guestOps);
            tree.put("exits", counted);
            tree.put("cycles", range(cycles));
            tree.put("violations", violations);
            return tree;
        }
    }

    /// Adds a session's result, if it is the first one of it.
    ///
    /// @return whether it was
    public boolean add(FleetResult result) {
        if (!sessions.add(result.session())) {
            return false;
        }
        if (result.state() == FleetState.FAILED) {
            failed++;
            if (failures.size() < MOST_FAILURES) {
                failures.add(new Failed(result.session(), result.error()));
            }
            return true;
        }
        done++;
        events += result.events();
        parted += result.parts() ? 1 : 0;
        guestVisible += result.guestVisible() ? 1 : 0;
        result.base().ifPresent(base::add);
        result.candidate().ifPresent(candidate::add);
        keep(row(result));
        return true;
    }

    /// A session's share in the difference; none where it failed.
    public static Row row(FleetResult result) {
        return new Row(
                result.session(),
                result.base().map(DiffTotals::exits).orElse(0L),
                result.candidate().map(DiffTotals::exits).orElse(0L),
                result.candidate().map(DiffTotals::cyclesTypical).orElse(0.0)
                        - result.base().map(DiffTotals::cyclesTypical).orElse(0.0));
    }

    private void keep(Row row) {
        if (row.weight() > 0 || row.baseExits() != row.candidateExits()) {
            largest.add(row);
            if (largest.size() > MOST_ROWS) {
                largest.poll();
            }
        }
    }

    /// How a policy whose whole text a run has is written in one line.
    public static String expression(String policy) {
        return Policies.parse(policy).identity().expression();
    }

    public FleetRun run() {
        return run;
    }

    public long done() {
        return done;
    }

    public long failed() {
        return failed;
    }

    /// Whether every session has its result.
    public boolean complete() {
        return done + failed >= run.total();
    }

    public OneSide base() {
        return base;
    }

    public OneSide candidate() {
        return candidate;
    }

    /// The first of those that failed.
    public List<Failed> failures() {
        return failures;
    }

    /// Sessions where the guest could tell the policies apart.
    public long guestVisible() {
        return guestVisible;
    }

    /// Sessions whose events differ at all.
    public long parted() {
        return parted;
    }

    /// The sessions with the largest differences, by typical cycles.
    public List<Row> largest() {
        return largest.stream().sorted(Comparator.comparingDouble(Row::weight).reversed()).toList();
    }

    /// Everything, for JSON.
    public Map<String, Object> tree() {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("run", run.run());
        tree.put("createdMillis", run.createdMillis());
        tree.put("pattern", run.sessions());
        tree.put("candidateHash", run.candidateHash().toString());
        Map<String, Object> asked = new LinkedHashMap<>();
        asked.put("candidate", expression(run.candidate()));
        asked.put("base", run.base().map(FleetTotals::expression).orElse(null));
        asked.put("costs", run.costsName().orElse(null));
        tree.put("asked", asked);
        Map<String, Object> counts = new LinkedHashMap<>();
        counts.put("total", run.total());
        counts.put("done", done);
        counts.put("failed", failed);
        counts.put("waiting", run.total() - done - failed);
        counts.put("different", parted);
        counts.put("guestVisible", guestVisible);
        tree.put("sessions", counts);
        tree.put("events", events);
        tree.put("base", base.tree());
        tree.put("candidate", candidate.tree());
        tree.put("largest", largest().stream().map(FleetTotals::tree).toList());
        tree.put(
                "failures",
                failures.stream()
                        .map(one -> Map.of("session", one.session(), "error", one.error()))
                        .toList());
        return tree;
    }

    private static Map<String, Object> tree(Row row) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("session", row.session());
        tree.put("baseExits", row.baseExits());
        tree.put("candidateExits", row.candidateExits());
        tree.put("cycles", row.cycles());
        return tree;
    }

    private static Map<String, Object> range(Range range) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("low", range.low());
        tree.put("typical", range.typical());
        tree.put("high", range.high());
        return tree;
    }
}

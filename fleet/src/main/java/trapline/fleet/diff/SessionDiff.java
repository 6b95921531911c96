package trapline.fleet.diff;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import trapline.engine.cost.CostProfile;
import trapline.engine.cost.Range;
import trapline.engine.policy.Policies;
import trapline.engine.policy.Policy;
import trapline.engine.rule.Violation;
import trapline.engine.text.InputException;
import trapline.journal.Journal;
import trapline.journal.JournalException;
import trapline.replayer.Diff;
import trapline.replayer.DiffResult;
import trapline.replayer.DiffResult.Side;
import trapline.replayer.JsonTree;
import trapline.replayer.ReplayException;
import trapline.replayer.ResultTree;
import trapline.replayer.Session;
import trapline.schemas.ClosingRecord;
import trapline.schemas.DiffTotals;
import trapline.schemas.DiffTotals.NamedCount;
import trapline.schemas.FleetResult;
import trapline.schemas.FleetResult.FleetState;
import trapline.schemas.FleetRun;
import trapline.schemas.FleetTask;

/// Evaluates a task as `diff` would, in one thread.
public final class SessionDiff implements Evaluator {

    /// A log that does not answer may do so later.
    private static final int TRIES = 3;

    /// A document that is larger than this stays out of the result.
    private static final int LARGEST_DOCUMENT = 1 << 20;

    private final Journal journal;

    public SessionDiff(Journal journal) {
        this.journal = journal;
    }

    @Override
    public FleetResult evaluate(FleetRun run, FleetTask task, BooleanSupplier wanted) {
        long begin = System.currentTimeMillis();
        for (int attempt = 1; ; attempt++) {
            try {
                return compared(run, task, wanted, begin);
            } catch (JournalException e) {
                if (e.kind() != JournalException.Kind.UNREACHABLE || attempt == TRIES) {
                    return failed(task, e.getMessage(), begin);
                }
                pause(attempt);
            } catch (ReplayException | InputException e) {
                return failed(task, e.getMessage(), begin);
            } catch (NotWanted e) {
                throw e;
            } catch (RuntimeException | StackOverflowError e) {
                return failed(task, "internal error: " + e, begin);
            } catch (OutOfMemoryError e) {
                return failed(task, "out of memory: " + e.getMessage(), begin);
            }
        }
    }

    private static void pause(int attempt) {
        try {
            Thread.sleep(500L * attempt);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new NotWanted();
        }
    }

    private FleetResult compared(FleetRun run, FleetTask task, BooleanSupplier wanted, long begin) {
        try (Session session = Session.open(journal, task.session())) {
            Policy base = run.base().map(Policies::parse).orElseGet(session::policy);
            CostProfile costs =
                    run.costs()
                            .map(text -> CostProfile.parse(text, run.costsName().orElse("")))
                            .orElseGet(() -> ownCosts(session));
            DiffResult diff =
                    new Diff(session, base, Policies.parse(run.candidate()))
                            .runAlone(
                                    costs,
                                    _ -> {
                                        if (!wanted.getAsBoolean()) {
                                            throw new NotWanted();
                                        }
                                    });
            return done(task, session, diff, begin);
        }
    }

    private static CostProfile ownCosts(Session session) {
        return CostProfile.find(
                session.machines().platform().description().costs(), _ -> Optional.empty());
    }

    private static FleetResult done(FleetTask task, Session session, DiffResult diff, long begin) {
        String document = JsonTree.text(ResultTree.of(diff));
        long now = System.currentTimeMillis();
        return new FleetResult(
                task.run(),
                task.session(),
                FleetState.DONE,
                "",
                now,
                now - begin,
                session.entry().closing().map(ClosingRecord::events).orElse(task.events()),
                Optional.of(totals(diff.base())),
                Optional.of(totals(diff.candidate())),
                diff.firstDivergence().isPresent(),
                !diff.guestVisible().identical(),
                document.length() > LARGEST_DOCUMENT ? "" : document);
    }

    static FleetResult failed(FleetTask task, String error, long begin) {
        long now = System.currentTimeMillis();
        return new FleetResult(
                task.run(),
                task.session(),
                FleetState.FAILED,
                error,
                now,
                now - begin,
                task.events(),
                Optional.empty(),
                Optional.empty(),
                false,
                false,
                "");
    }

    private static DiffTotals totals(Side side) {
        Map<String, Long> byReason = new TreeMap<>(ResultTree.exitsByReason(side.tally()));
        Map<String, Long> byRule = new TreeMap<>();
        for (Violation violation : side.violations()) {
            byRule.merge(violation.rule().text(), violation.count(), Long::sum);
        }
        Range cycles = side.projection().total();
        return new DiffTotals(
                side.policy(),
                side.tally().guestOps(),
                side.tally().exits(),
                rows(byReason),
                cycles.low(),
                cycles.typical(),
                cycles.high(),
                rows(byRule));
    }

    private static List<NamedCount> rows(Map<String, Long> counts) {
        List<NamedCount> rows = new ArrayList<>();
        counts.forEach((name, count) -> rows.add(new NamedCount(name, count)));
        return rows;
    }
}

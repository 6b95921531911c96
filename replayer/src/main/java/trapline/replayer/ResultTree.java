package trapline.replayer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import trapline.engine.cost.Range;
import trapline.engine.event.Event;
import trapline.engine.event.HypervisorEvent.HostInstruction;
import trapline.engine.event.Stamp;
import trapline.engine.rule.Violation;
import trapline.engine.sim.EntryFailures;
import trapline.engine.table.ExitReasons;
import trapline.engine.table.Msrs;
import trapline.replayer.Comparison.Sensitivity;
import trapline.replayer.DiffResult.Difference;
import trapline.replayer.DiffResult.Divergence;
import trapline.replayer.DiffResult.Nearby;
import trapline.replayer.DiffResult.Side;
import trapline.replayer.Tally.Accesses;
import trapline.replayer.Tally.HostAccess;
import trapline.replayer.Verification.Check;

/// Results as trees of names: the keys are a public interface and stay.
public final class ResultTree {

    private ResultTree() {}

    public static SequencedMap<String, Object> of(DiffResult diff) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("session", diff.session().name());
        tree.put("costs", diff.costs().name());
        tree.put("base", side(diff, diff.base()));
        tree.put("candidate", side(diff, diff.candidate()));
        tree.put("comparison", comparison(diff.comparison()));
        tree.put(
                "firstDivergence",
                diff.firstDivergence().map(d -> divergence(diff, d)).orElse(null));
        tree.put("guestVisible", guestVisible(diff));
        tree.put("setupDifferences", diff.setup());
        tree.put("notes", diff.notes());
        diff.trace()
                .ifPresent(trace -> {
                    tree.put("fidelity", TraceTree.of(trace.fidelity()));
                    tree.put("unseen", TraceTree.of(trace.unseen()));
                });
        return tree;
    }

    private static SequencedMap<String, Object> side(DiffResult diff, Side side) {
        Tally tally = side.tally();
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("policy", side.policy());
        tree.put("events", tally.events());
        tree.put("guestOps", tally.guestOps());
        SequencedMap<String, Object> exits = new LinkedHashMap<>();
        exits.put("total", tally.exits());
        exits.put("byReason", exitsByReason(tally));
        SequencedMap<String, Object> byMsr = new LinkedHashMap<>();
        tally.msrAccesses()
                .forEach((msr, count) -> byMsr.put(Msrs.name(msr.intValue()), accesses(count)));
        diff.trace().ifPresent(trace -> TraceTree.mark(byMsr, trace.unseen()));
        exits.put("byMsr", byMsr);
        SequencedMap<String, Object> byPort = new LinkedHashMap<>();
        tally.portAccesses().forEach((port, count) -> byPort.put(Names.hex(port), accesses(count)));
        exits.put("byPort", byPort);
        exits.put("byVcpu", byVcpu(tally));
        tree.put("exits", exits);
        SequencedMap<String, Object> byUserspaceReason = new LinkedHashMap<>();
        tally.userspaceExitsByReason()
                .forEach((reason, count) ->
                        byUserspaceReason.put(ExitReasons.userspace(reason.intValue()), count));
        SequencedMap<String, Object> userspace = new LinkedHashMap<>();
        userspace.put("total", tally.userspaceExits());
        userspace.put("byReason", byUserspaceReason);
        tree.put("userspace", userspace);
        tree.put("hostMsr", hostMsr(tally));
        tree.put("actions", actions(tally));
        tree.put("cycles", cycles(side.projection()));
        tree.put("mutations", tally.mutations());
        SequencedMap<String, Object> predictor = new LinkedHashMap<>();
        predictor.put("flushes", tally.returns().flushes());
        predictor.put("returns", tally.returns().returns());
        tree.put("returnPredictor", predictor);
        tree.put("guestFaults", tally.guestFaults());
        tree.put("recordedValues", tally.recordedValues());
        tree.put("failedEntries", tally.entryFailures().total());
        tree.put("entryFailures", failures(tally.entryFailures().all()));
        tree.put("interception", interception(tally.interception()));
        tree.put("interceptionLeftOut", tally.interception().leftOut());
        tree.put("violations", violations(side.violations()));
        return tree;
    }

    /// The safety rules that an execution broke.
    public static List<SequencedMap<String, Object>> violations(List<Violation> violations) {
        return violations.stream().map(ResultTree::violation).toList();
    }

    private static List<Object> interception(InterceptionTimeline timeline) {
        List<Object> rows = new ArrayList<>();
        for (InterceptionTimeline.Row row : timeline.rows()) {
            SequencedMap<String, Object> tree = new LinkedHashMap<>();
            tree.put("msr", Msrs.name(row.msr()));
            tree.put("bitmap", row.bitmap());
            tree.put("vcpu", row.vcpu());
            tree.put("changes", row.changes().stream().map(ResultTree::change).toList());
            tree.put("leftOut", row.leftOut());
            rows.add(tree);
        }
        return rows;
    }

    private static SequencedMap<String, Object> change(InterceptionTimeline.Change change) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("op", change.op());
        tree.put("order", change.order());
        tree.put("read", change.read());
        tree.put("write", change.write());
        return tree;
    }

    private static SequencedMap<String, Object> violation(Violation violation) {
        Stamp stamp = violation.first().stamp();
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("rule", violation.rule().text());
        tree.put("vcpu", stamp.vcpu());
        tree.put("seq", stamp.seq());
        tree.put("message", violation.message());
        tree.put("order", stamp.order());
        tree.put("op", stamp.op());
        tree.put("event", violation.first().event().getClass().getSimpleName());
        tree.put(
                "causes", violation.causes().stream().map(cause -> cause.stamp().order()).toList());
        tree.put("count", violation.count());
        tree.put("source", violation.rule().source());
        return tree;
    }

    /// VM exits by the name of their reason.
    public static SequencedMap<String, Long> exitsByReason(Tally tally) {
        SequencedMap<String, Long> byReason = new LinkedHashMap<>();
        tally.exitsByReason()
                .forEach((reason, count) ->
                        byReason.merge(Names.exit(tally.vendor(), reason), count, Long::sum));
        return byReason;
    }

    private static List<Object> byVcpu(Tally tally) {
        List<Object> rows = new ArrayList<>();
        long[] exits = tally.exitsByVcpu();
        for (int vcpu = 0; vcpu < exits.length; vcpu++) {
            SequencedMap<String, Object> row = new LinkedHashMap<>();
            row.put("vcpu", vcpu);
            row.put("count", exits[vcpu]);
            rows.add(row);
        }
        return rows;
    }

    private static SequencedMap<String, Object> accesses(Accesses accesses) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("reads", accesses.reads());
        tree.put("writes", accesses.writes());
        return tree;
    }

    private static SequencedMap<String, Object> hostMsr(Tally tally) {
        SequencedMap<String, Accesses> byCause = new LinkedHashMap<>();
        SequencedMap<String, Accesses> byMsr = new LinkedHashMap<>();
        Accesses total = new Accesses(0, 0);
        for (HostAccess access : tally.hostAccesses()) {
            Accesses count =
                    access.write()
                            ? new Accesses(0, access.count())
                            : new Accesses(access.count(), 0);
            total = total.plus(count);
            byCause.merge(access.causeName(), count, Accesses::plus);
            byMsr.merge(Msrs.name(access.msr()), count, Accesses::plus);
        }
        SequencedMap<String, Object> tree = accesses(total);
        tree.put("byCause", each(byCause));
        tree.put("byMsr", each(byMsr));
        tree.put("faults", tally.hostFaults().stream().mapToLong(HostAccess::count).sum());
        return tree;
    }

    /// How often the hypervisor did what has a price, by the names that `cycles.byCause` has.
    private static SequencedMap<String, Object> actions(Tally tally) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("fieldWrites", tally.fieldWrites());
        tree.put("msrBitmapWrites", tally.bitmapWrites());
        tree.put("userspace", tally.userspaceExits());
        tree.put("vcpuLoad", tally.loads());
        tree.put("vcpuPut", tally.puts());
        tree.put("vmsave", tally.vmsaves());
        tree.put("vmload", tally.vmloads());
        tree.put("wrgsbase", tally.hostLoads(HostInstruction.WRGSBASE));
        tree.put("trReload", tally.hostLoads(HostInstruction.LTR));
        tree.put("nestedEntry", tally.nestedEntries());
        tree.put("nestedExit", tally.nestedExits());
        return tree;
    }

    private static SequencedMap<String, Object> each(Map<String, Accesses> counts) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        counts.forEach((name, count) -> tree.put(name, accesses(count)));
        return tree;
    }

    private static SequencedMap<String, Object> cycles(Projection projection) {
        SequencedMap<String, Object> byCause = new LinkedHashMap<>();
        projection.byCause().forEach((cause, range) -> byCause.put(cause, range(range)));
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("total", range(projection.total()));
        tree.put("byCause", byCause);
        return tree;
    }

    /// The three values of a range.
    public static SequencedMap<String, Object> range(Range range) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("low", Math.round(range.low()));
        tree.put("typical", Math.round(range.typical()));
        tree.put("high", Math.round(range.high()));
        return tree;
    }

    /// A figure's value in hundredths; null where there is none at which costs are equal.
    public static Double breakEven(double value) {
        return Double.isNaN(value) ? null : Math.round(value * 100) / 100.0;
    }

    private static SequencedMap<String, Object> comparison(Comparison comparison) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("cycles", range(comparison.difference()));
        tree.put("verdict", Names.camel(comparison.verdict().name()));
        List<Object> sensitivities = new ArrayList<>();
        for (Sensitivity sensitivity : comparison.sensitivities()) {
            SequencedMap<String, Object> row = new LinkedHashMap<>();
            row.put("figure", sensitivity.figure());
            row.put("more", sensitivity.more());
            row.put("range", range(sensitivity.range()));
            row.put("assumed", sensitivity.assumed());
            row.put("breakEven", breakEven(sensitivity.breakEven()));
            row.put("decides", sensitivity.decides());
            row.put("others", range(sensitivity.others()));
            sensitivities.add(row);
        }
        tree.put("sensitivities", sensitivities);
        return tree;
    }

    private static SequencedMap<String, Object> divergence(DiffResult diff, Divergence d) {
        SequencedMap<String, Object> op = new LinkedHashMap<>();
        op.put("index", d.op());
        op.put("name", d.opName());
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("vcpu", d.vcpu());
        tree.put("op", op);
        tree.put("baseOrder", d.baseOrder());
        tree.put("candidateOrder", d.candidateOrder());
        tree.put("what", d.what());
        tree.put("baseEvent", event(diff, d.base()));
        tree.put("candidateEvent", event(diff, d.candidate()));
        tree.put("before", nearby(d.before()));
        tree.put("after", nearby(d.after()));
        return tree;
    }

    private static List<Object> nearby(List<Nearby> steps) {
        List<Object> rows = new ArrayList<>();
        for (Nearby step : steps) {
            SequencedMap<String, Object> row = new LinkedHashMap<>();
            row.put("vcpu", step.vcpu());
            row.put("op", step.op());
            row.put("name", step.name());
            row.put("baseEvents", step.baseEvents().size());
            row.put("candidateEvents", step.candidateEvents().size());
            rows.add(row);
        }
        return rows;
    }

    private static SequencedMap<String, Object> event(DiffResult diff, Event event) {
        if (event == null) {
            return null;
        }
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("type", event.name());
        tree.putAll(new EventFields(diff.session().vendor()).of(event));
        return tree;
    }

    private static SequencedMap<String, Object> guestVisible(DiffResult diff) {
        List<Object> differences = new ArrayList<>();
        for (Difference difference : diff.guestVisible().differences()) {
            SequencedMap<String, Object> row = new LinkedHashMap<>();
            row.put("vcpu", difference.vcpu());
            row.put("op", difference.op());
            row.put("base", event(diff, difference.base()));
            row.put("candidate", event(diff, difference.candidate()));
            differences.add(row);
        }
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("identical", diff.guestVisible().identical());
        tree.put("count", diff.guestVisible().count());
        tree.put("differences", differences);
        return tree;
    }

    public static SequencedMap<String, Object> of(Verification verification) {
        List<Object> checks = new ArrayList<>();
        for (Check check : verification.checks()) {
            SequencedMap<String, Object> row = new LinkedHashMap<>();
            row.put("name", check.name());
            row.put("ok", check.ok());
            row.put("message", check.message());
            row.put("place", check.place());
            checks.add(row);
        }
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("session", verification.session());
        tree.put("ok", verification.ok());
        tree.put("events", verification.events());
        tree.put("checks", checks);
        return tree;
    }

    /// What `stat` says of a session.
    ///
    /// @param policy that the session ran or runs under
    public static SequencedMap<String, Object> statistics(
            String session, String policy, Tally tally) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("session", session);
        tree.put("policy", policy);
        tree.put("events", tally.events());
        tree.put("guestOps", tally.guestOps());
        SequencedMap<String, Object> exits = new LinkedHashMap<>();
        exits.put("total", tally.exits());
        tree.put("exits", exits);
        tree.put("byReason", reasonRows(tally));
        tree.put("byMsr", msrRows(tally));
        tree.put("byPort", portRows(tally));
        tree.put("byVcpu", byVcpu(tally));
        tree.put("hostMsr", hostMsr(tally));
        tree.put("actions", actions(tally));
        tree.put("mutations", tally.mutations());
        tree.put("failedEntries", tally.entryFailures().total());
        tree.put("entryFailures", failures(tally.entryFailures().all()));
        return tree;
    }

    /// VM entries that failed, one row for each vCPU, level and check.
    public static List<Object> failures(List<EntryFailures.Failure> failures) {
        return failures.stream().<Object>map(ResultTree::failure).toList();
    }

    public static SequencedMap<String, Object> failure(EntryFailures.Failure failure) {
        SequencedMap<String, Object> row = new LinkedHashMap<>();
        row.put("vcpu", failure.first().vcpu());
        row.put("level", failure.level());
        row.put("check", failure.check());
        row.put("count", failure.count());
        row.put("order", failure.first().order());
        row.put("seq", failure.first().seq());
        row.put("tick", failure.first().tick());
        row.put("op", failure.first().op());
        row.put("stopped", failure.stopped());
        return row;
    }

    private static List<Object> reasonRows(Tally tally) {
        List<Object> rows = new ArrayList<>();
        tally.exitsByReason()
                .forEach((reason, count) -> {
                    SequencedMap<String, Object> row = new LinkedHashMap<>();
                    row.put("reason", Names.exit(tally.vendor(), reason));
                    row.put("number", new EventFields.Hex(reason));
                    row.put("count", count);
                    row.put("share", share(count, tally.exits()));
                    rows.add(row);
                });
        return rows;
    }

    private static double share(long count, long total) {
        return Math.round(1_000_000.0 * count / Math.max(1, total)) / 1_000_000.0;
    }

    private static List<Object> msrRows(Tally tally) {
        List<Object> rows = new ArrayList<>();
        tally.msrAccesses()
                .forEach((msr, count) -> {
                    SequencedMap<String, Object> row = new LinkedHashMap<>();
                    row.put("msr", Names.hex(msr));
                    row.put("name", Msrs.name(msr.intValue()));
                    both(rows, row, count);
                });
        return rows;
    }

    private static List<Object> portRows(Tally tally) {
        List<Object> rows = new ArrayList<>();
        tally.portAccesses()
                .forEach((port, count) -> {
                    SequencedMap<String, Object> row = new LinkedHashMap<>();
                    row.put("port", Names.hex(port));
                    both(rows, row, count);
                });
        return rows;
    }

    /// A row for the reads and one for the writes, where there are any.
    private static void both(
            List<Object> rows, SequencedMap<String, Object> subject, Accesses count) {
        if (count.reads() > 0) {
            rows.add(access(subject, "read", count.reads()));
        }
        if (count.writes() > 0) {
            rows.add(access(subject, "write", count.writes()));
        }
    }

    private static SequencedMap<String, Object> access(
            SequencedMap<String, Object> subject, String access, long count) {
        SequencedMap<String, Object> row = new LinkedHashMap<>(subject);
        row.put("access", access);
        row.put("count", count);
        return row;
    }
}

package trapline.replayer;

import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import trapline.engine.table.Msrs;
import trapline.replayer.FidelityRun.Passed;
import trapline.replayer.FidelityRun.Since;
import trapline.replayer.InterceptionTimeline.Change;
import trapline.replayer.InterceptionTimeline.Row;

/// MSR accesses that a trace of exits cannot have, and that a number depends on: they were passed through while it
/// was recorded, and would exit under the policies that are run.
///
/// @param as the policy that the recorded host is taken to have had
/// @param sinceOp of the vCPU, from which on they were passed through; 0 is its making
/// @param sinceOrder the event of the trace then; 0 at its beginning
public record Unseen(int msr, boolean write, int vcpu, long sinceOp, long sinceOrder, String as) {

    private static final int MOST_NAMED = 10;

    /// As rows of counts name it.
    public String access() {
        return Msrs.name(msr) + (write ? " write" : " read");
    }

    /// Why a count is no more than a lower bound.
    public String why() {
        return "unseen while recorded (passed through under %s)".formatted(as);
    }

    /// What all of them mean, in a sentence.
    public static String describe(List<Unseen> unseen) {
        List<String> accesses = unseen.stream().map(Unseen::access).sorted().distinct().toList();
        int more = Math.max(0, accesses.size() - MOST_NAMED);
        return "unseen while recorded, because %s passes them through, so that their exits are at least those counted: %s%s"
                .formatted(
                        unseen.getFirst().as(),
                        String.join(", ", accesses.subList(0, accesses.size() - more)),
                        more == 0 ? "" : " and %d more".formatted(more));
    }

    /// Which ones the counts of these executions lack; the rows that depend on them are lower bounds.
    static List<Unseen> of(Passed passed, Tally... executions) {
        if (passed.complete()) {
            return List.of();
        }
        List<SortedMap<Long, NavigableMap<Long, Boolean>>> others = new ArrayList<>();
        for (Tally execution : executions) {
            others.add(exiting(execution));
        }
        SortedMap<Long, NavigableMap<Long, Boolean>> recorded = exiting(passed.tally());
        List<Unseen> unseen = new ArrayList<>();
        passed.since()
                .forEach((key, since) -> {
                    if (others.stream()
                            .anyMatch(other -> exitsWhile(other.get(key), recorded.get(key)))) {
                        unseen.add(unseen(key, since, passed.as()));
                    }
                });
        return List.copyOf(unseen);
    }

    private static Unseen unseen(long key, Since since, String as) {
        return new Unseen(
                (int) (key >>> 1),
                (key & 1) != 0,
                (int) (key >>> 33),
                since.op(),
                since.order(),
                as);
    }

    /// By [FidelityRun#key], what exits after which op. Before any change everything does.
    private static SortedMap<Long, NavigableMap<Long, Boolean>> exiting(Tally tally) {
        SortedMap<Long, NavigableMap<Long, Boolean>> accesses = new TreeMap<>();
        for (Row row : tally.interception().rows()) {
            if (row.bitmap() != 1) {
                continue;
            }
            NavigableMap<Long, Boolean> reads = new TreeMap<>();
            NavigableMap<Long, Boolean> writes = new TreeMap<>();
            for (Change change : row.changes()) {
                reads.put(change.op(), change.read());
                writes.put(change.op(), change.write());
            }
            accesses.put(FidelityRun.key(row.vcpu(), row.msr(), false), reads);
            accesses.put(FidelityRun.key(row.vcpu(), row.msr(), true), writes);
        }
        return accesses;
    }

    /// Whether there is an op at which one exits and the other does not.
    private static boolean exitsWhile(
            NavigableMap<Long, Boolean> one, NavigableMap<Long, Boolean> passing) {
        TreeSet<Long> ops = new TreeSet<>(passing.keySet());
        if (one != null) {
            ops.addAll(one.keySet());
        }
        return ops.stream().anyMatch(op -> !exits(passing, op) && exits(one, op));
    }

    private static boolean exits(NavigableMap<Long, Boolean> changes, long op) {
        var last = changes == null ? null : changes.floorEntry(op);
        return last == null || last.getValue();
    }
}

package trapline.replayer;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.SortedMap;
import trapline.engine.table.Msrs;
import trapline.replayer.observed.Fidelity;

/// What is said beside the results of an imported trace, as the tree that JSON has.
public final class TraceTree {

    private TraceTree() {}

    public static SequencedMap<String, Object> of(Fidelity fidelity) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("as", fidelity.as());
        tree.put("cpu", fidelity.cpu());
        tree.put("basis", fidelity.basis().text());
        tree.put("exits", fidelity.traced());
        tree.put("observed", fidelity.observed());
        tree.put("predicted", fidelity.predicted());
        tree.put("matched", fidelity.matched());
        tree.put(
                "share",
                fidelity.share().isEmpty()
                        ? null
                        : Math.floor(1_000_000.0 * fidelity.matched() / fidelity.observed())
                                / 1_000_000);
        List<Object> rows = new ArrayList<>();
        for (Fidelity.Row reason : fidelity.byReason()) {
            SequencedMap<String, Object> row = new LinkedHashMap<>();
            row.put("reason", reason.reason());
            row.put("observed", reason.observed());
            row.put("predicted", reason.predicted());
            row.put("matched", reason.matched());
            rows.add(row);
        }
        tree.put("byReason", rows);
        tree.put("firstMismatch", fidelity.firstMismatch().map(TraceTree::mismatch).orElse(null));
        tree.put("notModelled", counts(fidelity.apart().notModelled()));
        tree.put("notTold", counts(fidelity.apart().notTold()));
        tree.put("nested", counts(fidelity.apart().nested()));
        tree.put("leftOut", counts(fidelity.apart().leftOut()));
        tree.put("gaps", fidelity.apart().gaps());
        tree.put("withoutExit", fidelity.withoutExit());
        SequencedMap<String, Object> faults = new LinkedHashMap<>();
        faults.put("observed", fidelity.faults().observed());
        faults.put("predicted", fidelity.faults().predicted());
        faults.put("matched", fidelity.faults().matched());
        tree.put("msrFaults", faults);
        return tree;
    }

    private static SequencedMap<String, Object> mismatch(Fidelity.Mismatch mismatch) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("vcpu", mismatch.vcpu());
        tree.put("op", mismatch.op());
        tree.put("order", mismatch.order());
        tree.put("time", mismatch.time());
        tree.put("observed", mismatch.observed().isEmpty() ? null : mismatch.observed());
        tree.put("predicted", mismatch.predicted());
        return tree;
    }

    private static List<Object> counts(SortedMap<String, Long> counts) {
        List<Object> rows = new ArrayList<>();
        counts.forEach((reason, count) -> {
            SequencedMap<String, Object> row = new LinkedHashMap<>();
            row.put("reason", reason);
            row.put("count", count);
            rows.add(row);
        });
        return rows;
    }

    /// Says in rows of reads and writes by MSR's name which counts are lower bounds; an MSR without a row gets one.
    static void mark(SequencedMap<String, Object> byMsr, List<Unseen> unseen) {
        for (Unseen access : unseen) {
            SequencedMap<String, Object> row = new LinkedHashMap<>();
            row.put("reads", 0L);
            row.put("writes", 0L);
            if (byMsr.get(Msrs.name(access.msr())) instanceof Map<?, ?> counted) {
                counted.forEach((name, value) -> row.put(name.toString(), value));
            }
            row.put(access.write() ? "unseenWrites" : "unseenReads", true);
            byMsr.put(Msrs.name(access.msr()), row);
        }
    }

    /// Puts both into the counts of an execution, whose rows by MSR say which are lower bounds.
    public static void add(
            SequencedMap<String, Object> statistics, Fidelity fidelity, List<Unseen> unseen) {
        List<Object> rows = new ArrayList<>((List<?>) statistics.get("byMsr"));
        markRows(rows, unseen);
        statistics.put("byMsr", rows);
        statistics.put("fidelity", of(fidelity));
        statistics.put("unseen", of(unseen));
    }

    private static void markRows(List<Object> byMsr, List<Unseen> unseen) {
        Set<List<Object>> marked = new HashSet<>();
        for (Unseen access : unseen) {
            String name = Msrs.name(access.msr());
            String kind = access.write() ? "write" : "read";
            if (!marked.add(List.of(name, kind))) {
                continue;
            }
            SequencedMap<String, Object> row = new LinkedHashMap<>();
            row.put("msr", Names.hex(Integer.toUnsignedLong(access.msr())));
            row.put("name", name);
            row.put("access", kind);
            row.put("count", 0L);
            int at = at(byMsr, name, kind);
            if (at >= 0) {
                ((Map<?, ?>) byMsr.get(at)).forEach((key, value) -> row.put((String) key, value));
            }
            row.put("unseen", true);
            if (at < 0) {
                byMsr.add(row);
            } else {
                byMsr.set(at, row);
            }
        }
    }

    private static int at(List<Object> rows, String name, String access) {
        for (int i = 0; i < rows.size(); i++) {
            if (rows.get(i) instanceof Map<?, ?> row
                    && name.equals(row.get("name"))
                    && access.equals(row.get("access"))) {
                return i;
            }
        }
        return -1;
    }

    public static List<Object> of(List<Unseen> unseen) {
        List<Object> rows = new ArrayList<>();
        for (Unseen access : unseen) {
            SequencedMap<String, Object> row = new LinkedHashMap<>();
            row.put("msr", Names.hex(Integer.toUnsignedLong(access.msr())));
            row.put("name", Msrs.name(access.msr()));
            row.put("access", access.write() ? "write" : "read");
            row.put("vcpu", access.vcpu());
            row.put("sinceOp", access.sinceOp());
            row.put("sinceOrder", access.sinceOrder());
            row.put("passedThroughUnder", access.as());
            rows.add(row);
        }
        return rows;
    }
}

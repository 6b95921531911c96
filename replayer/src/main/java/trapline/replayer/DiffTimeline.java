package trapline.replayer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import trapline.engine.table.Msrs;
import trapline.replayer.ExitBins.Bin;
import trapline.replayer.InterceptionTimeline.Row;
import trapline.replayer.Strip.Span;

/// Both sides of a diff over the guest's ops, as one tree for a picture.
public final class DiffTimeline {

    private static final int MOST_RUNS = 200;
    private static final int MOST_ROWS = 64;

    private final DiffResult diff;

    private DiffTimeline(DiffResult diff) {
        this.diff = diff;
    }

    public static Map<String, Object> of(DiffResult diff) {
        return new DiffTimeline(diff).tree();
    }

    private Map<String, Object> tree() {
        List<Object> vcpus = new ArrayList<>();
        int shown = Math.min(diff.session().vcpus(), ExitBins.MOST_VCPUS);
        for (int vcpu = 0; vcpu < shown; vcpu++) {
            vcpus.add(vcpu(vcpu));
        }
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("vcpus", vcpus);
        tree.put("vcpusLeftOut", diff.session().vcpus() - shown);
        tree.put("firstDivergence", diff.firstDivergence().map(DiffTimeline::place).orElse(null));
        return tree;
    }

    private static Map<String, Object> place(DiffResult.Divergence divergence) {
        Map<String, Object> place = new LinkedHashMap<>();
        place.put("vcpu", divergence.vcpu());
        place.put("op", divergence.op());
        return place;
    }

    private Map<String, Object> vcpu(int vcpu) {
        long ops = Math.max(ops(diff.base(), vcpu), ops(diff.candidate(), vcpu));
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("vcpu", vcpu);
        tree.put("ops", List.of(1L, Math.max(1, ops)));
        tree.put("base", bins(diff.base().bins().of(vcpu, ops)));
        tree.put("candidate", bins(diff.candidate().bins().of(vcpu, ops)));
        tree.put("intercepts", intercepts(vcpu, ops));
        return tree;
    }

    private static long ops(DiffResult.Side side, int vcpu) {
        return side.tally().guestOpsByVcpu()[vcpu];
    }

    private static List<Object> bins(List<Bin> bins) {
        List<Object> rows = new ArrayList<>();
        bins.forEach(bin -> rows.add(List.of(bin.first(), bin.last(), bin.exits(), bin.reasons())));
        return rows;
    }

    /// An MSR's rows of the two sides, of which one may lack: then it was intercepted all the time.
    private static final class Pair {
        private Row base;
        private Row candidate;
    }

    private Map<String, Object> intercepts(int vcpu, long ops) {
        SortedMap<Long, Pair> pairs = new TreeMap<>();
        for (Row row : diff.base().tally().interception().rows()) {
            pair(pairs, row, vcpu).ifPresent(pair -> pair.base = row);
        }
        for (Row row : diff.candidate().tally().interception().rows()) {
            pair(pairs, row, vcpu).ifPresent(pair -> pair.candidate = row);
        }
        List<Object> base = new ArrayList<>();
        List<Object> candidate = new ArrayList<>();
        pairs.forEach((key, pair) -> {
            List<Object> was = runs(pair.base, ops);
            List<Object> is = runs(pair.candidate, ops);
            boolean tells = !was.equals(is) || was.size() > 1;
            if (tells && base.size() < MOST_ROWS) {
                base.add(row(key, was));
                candidate.add(row(key, is));
            }
        });
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("base", base);
        tree.put("candidate", candidate);
        return tree;
    }

    private static Optional<Pair> pair(SortedMap<Long, Pair> pairs, Row row, int vcpu) {
        if (row.vcpu() != vcpu) {
            return Optional.empty();
        }
        long key = (long) row.bitmap() << 32 | Integer.toUnsignedLong(row.msr());
        return Optional.of(pairs.computeIfAbsent(key, _ -> new Pair()));
    }

    private static Map<String, Object> row(long key, List<Object> runs) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("msr", Names.hex(key & 0xffff_ffffL));
        row.put("name", Msrs.name((int) key));
        row.put("bitmap", (int) (key >>> 32));
        row.put("runs", runs);
        return row;
    }

    private static List<Object> runs(Row row, long ops) {
        if (row == null) {
            return List.of(List.of(1L, Math.max(1, ops), "rw"));
        }
        List<Object> runs = new ArrayList<>();
        for (Span span : row.strip().spans(ops, MOST_RUNS)) {
            runs.add(List.of(span.first(), span.last(), exiting(span)));
        }
        return runs;
    }

    /// Which accesses exit; of a stretch too long to tell, those that did at some op of it.
    private static String exiting(Span span) {
        boolean read = false;
        boolean write = false;
        for (int state = 0; state < 4; state++) {
            if ((span.states() & 1 << state) != 0) {
                read |= (state & InterceptionTimeline.state(true, false)) != 0;
                write |= (state & InterceptionTimeline.state(false, true)) != 0;
            }
        }
        return (read ? "r" : "") + (write ? "w" : "");
    }
}

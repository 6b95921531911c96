package trapline.dashboard.live;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import trapline.schemas.ViolationObserved;

/// One session's broken rules: the newest kinds one by one, and how often each rule was broken.
final class Violations {

    private static final int MOST_KINDS = 100;
    private static final int MOST_RULES = 64;

    private final SequencedMap<Kind, Found> kinds = new LinkedHashMap<>();
    private final Map<String, Long> byRule = new TreeMap<>();
    private long count;

    private record Kind(String rule, int vcpu, String message) {}

    private record Found(ViolationObserved last, long count) {}

    void add(ViolationObserved violation) {
        count += violation.times();
        boolean known = byRule.size() < MOST_RULES || byRule.containsKey(violation.rule());
        byRule.merge(known ? violation.rule() : Subjects.OTHER, violation.times(), Long::sum);
        Kind kind = new Kind(violation.rule(), violation.stamp().vcpu(), violation.message());
        Found before = kinds.remove(kind);
        long times = violation.times() + (before == null ? 0 : before.count());
        kinds.putLast(kind, new Found(violation, times));
        if (kinds.size() > MOST_KINDS) {
            kinds.pollFirstEntry();
        }
    }

    long count() {
        return count;
    }

    Map<String, Long> byRule() {
        return byRule;
    }

    /// The newest first.
    List<Object> rows() {
        List<Object> rows = new ArrayList<>();
        for (Found found : kinds.sequencedValues().reversed()) {
            ViolationObserved last = found.last();
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("rule", last.rule());
            row.put("vcpu", last.stamp().vcpu());
            row.put("seq", last.stamp().seq());
            row.put("order", last.stamp().order());
            row.put("message", last.message());
            row.put("count", found.count());
            row.put("millis", last.recordedMillis());
            rows.add(row);
        }
        return rows;
    }
}

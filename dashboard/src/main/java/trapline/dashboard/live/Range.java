package trapline.dashboard.live;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;

/// Exits of a stretch of time, which windows make up.
final class Range {

    private final Counts reasons = new Counts();
    private final Counts msrs = new Counts();
    private final Counts vcpus = new Counts();
    private final Histogram times = Times.empty();
    private long from = Long.MAX_VALUE;
    private long to = Long.MIN_VALUE;
    private long exits;

    Range(List<Window> windows) {
        for (Window window : windows) {
            from = Math.min(from, window.begin());
            to = Math.max(to, window.end());
            exits += window.exits();
            reasons.add(window.reasons());
            msrs.add(window.msrs());
            vcpus.add(window.vcpus());
            if (window.times() != null) {
                window.times().addTo(times);
            }
        }
    }

    /// Where there is no window, the range is what was asked for.
    Map<String, Object> tree(
            Subjects subjects, Map<String, Object> timeHead, long askedFrom, long askedTo) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("from", Math.min(from, askedFrom));
        tree.put("to", Math.max(to, askedTo));
        tree.put("exits", exits);
        tree.put("byReason", shares(subjects.reasons(reasons.pairs())));
        tree.put("byMsr", shares(subjects.msrs(msrs.pairs())));
        tree.put("byVcpu", shares(subjects.vcpus(vcpus.pairs())));
        tree.put("time", time(timeHead));
        return tree;
    }

    private List<Object> shares(List<Object> rows) {
        for (Object row : rows) {
            @SuppressWarnings("unchecked")
            Map<String, Object> fields = (Map<String, Object>) row;
            fields.put("share", (Long) fields.get("count") / (double) exits);
        }
        return rows;
    }

    private Map<String, Object> time(Map<String, Object> head) {
        Times all = Times.of(times);
        if (all == null) {
            return null;
        }
        Map<String, Object> tree = new LinkedHashMap<>(head);
        tree.putAll(all.tree());
        tree.put("count", all.count());
        return tree;
    }
}

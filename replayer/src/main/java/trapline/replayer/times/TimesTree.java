package trapline.replayer.times;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import trapline.replayer.times.Rows.Order;
import trapline.replayer.times.Windows.Window;

/// Exits and their times as JSON has them.
public final class TimesTree {

    private final ExitTimes times;
    private final Order order;
    private final int top;
    private final boolean histograms;

    /// @param top how many rows of a dimension at most
    public TimesTree(ExitTimes times, Order order, int top, boolean histograms) {
        this.times = times;
        this.order = order;
        this.top = top;
        this.histograms = histograms;
    }

    /// All that was counted, behind what a document has already.
    public void addTo(SequencedMap<String, Object> tree) {
        tree.put("exits", exits());
        if (times.timed()) {
            tree.put("unit", times.unit());
            tree.put("start", times.first());
            tree.put("span", times.span());
            tree.put("gaps", gaps());
        }
        SequencedMap<String, Object> leftOut = new LinkedHashMap<>();
        for (Dimension dimension : times.dimensions()) {
            List<Row> rows = times.rows(dimension, order);
            if (rows.size() > top) {
                leftOut.put(dimension.key(), rows.size() - top);
            }
            tree.put(dimension.key(), rows.stream().limit(top).map(this::row).toList());
        }
        if (!leftOut.isEmpty()) {
            tree.put("leftOut", leftOut);
        }
        times.windows().ifPresent(windows -> windows(windows, tree));
    }

    private SequencedMap<String, Object> exits() {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("total", times.exits());
        if (times.timed()) {
            tree.put("traced", times.sawExit());
            tree.put("timed", timedExits());
            tree.put("withoutEntry", times.withoutEntry());
            tree.put("acrossGaps", times.acrossGaps());
            tree.put("backwards", times.backwards());
        }
        return tree;
    }

    private long timedExits() {
        return times.rows(Dimension.VCPU, Order.NAME).stream()
                .mapToLong(row -> row.all().count())
                .sum();
    }

    private SequencedMap<String, Object> gaps() {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("count", times.gaps());
        tree.put("lost", times.lost());
        return tree;
    }

    private void windows(Windows windows, SequencedMap<String, Object> tree) {
        List<Object> rows = new ArrayList<>();
        for (Window window : windows.closed()) {
            SequencedMap<String, Object> row = new LinkedHashMap<>();
            row.put("from", window.from());
            row.put("to", window.to());
            row.put("exits", window.exits());
            row.put("gaps", window.gaps());
            window.rows()
                    .forEach((dimension, found) ->
                            row.put(
                                    dimension.key(),
                                    found.stream().limit(top).map(this::row).toList()));
            rows.add(row);
        }
        tree.put("windows", rows);
        tree.put("windowsLeftOut", windows.leftOut());
    }

    private SequencedMap<String, Object> row(Row row) {
        SequencedMap<String, Object> tree = row.subject().tree();
        tree.put("count", row.count());
        tree.put("share", row.share());
        if (row.all().count() > 0) {
            tree.put("timeShare", row.timeShare());
            spread(row.all(), tree);
            away(row, tree);
            if (histograms && row.byMagnitude().length > 0) {
                tree.put("histogram", histogram(row.byMagnitude()));
            }
        }
        return tree;
    }

    private static void spread(Spread spread, SequencedMap<String, Object> tree) {
        tree.put("timed", spread.count());
        tree.put("time", spread.sum());
        tree.put("min", spread.min());
        tree.put("mean", thousandths(spread.mean()));
        tree.put("deviation", thousandths(spread.deviation()));
        tree.put("p50", spread.p50());
        tree.put("p95", spread.p95());
        tree.put("p99", spread.p99());
        tree.put("max", spread.max());
    }

    private static void away(Row row, SequencedMap<String, Object> tree) {
        SequencedMap<String, Object> userspace = new LinkedHashMap<>();
        userspace.put("count", row.userspaceExits());
        userspace.put("time", row.userspaceTime());
        tree.put("userspace", userspace);
        tree.put("halted", row.haltedTime());
        SequencedMap<String, Object> inKernel = new LinkedHashMap<>();
        if (row.inside().count() > 0) {
            spread(row.inside(), inKernel);
        } else {
            inKernel.put("timed", 0L);
        }
        tree.put("inKernel", inKernel);
    }

    private static double thousandths(double value) {
        return Math.round(value * 1000) / 1000.0;
    }

    /// From 2^(i-1) on and below 2^i, `[0]` for none at all; without the empty ones at both ends.
    private static List<Object> histogram(long[] byMagnitude) {
        List<Object> buckets = new ArrayList<>();
        int low = lowest(byMagnitude);
        int high = highest(byMagnitude);
        for (int i = low; i <= high; i++) {
            SequencedMap<String, Object> bucket = new LinkedHashMap<>();
            bucket.put("from", from(i));
            bucket.put("to", 1L << i);
            bucket.put("count", byMagnitude[i]);
            buckets.add(bucket);
        }
        return buckets;
    }

    /// Where a bucket of this many digits begins.
    public static long from(int magnitude) {
        return magnitude == 0 ? 0 : 1L << (magnitude - 1);
    }

    /// The first bucket that is not empty.
    public static int lowest(long[] byMagnitude) {
        int i = 0;
        while (i < byMagnitude.length - 1 && byMagnitude[i] == 0) {
            i++;
        }
        return i;
    }

    /// The last bucket that is not empty.
    public static int highest(long[] byMagnitude) {
        int i = byMagnitude.length - 1;
        while (i > 0 && byMagnitude[i] == 0) {
            i--;
        }
        return i;
    }
}

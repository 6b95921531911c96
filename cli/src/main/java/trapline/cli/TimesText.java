package trapline.cli;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import trapline.replayer.times.Dimension;
import trapline.replayer.times.ExitTimes;
import trapline.replayer.times.Row;
import trapline.replayer.times.Spread;
import trapline.replayer.times.TimesTree;
import trapline.replayer.times.Windows;
import trapline.replayer.times.Windows.Window;

/// Tables of exits and their times.
final class TimesText {

    private static final int BAR = 40;

    private final ExitTimes times;
    private final LookOptions options;
    private final Console console;
    private final boolean nanos;
    private final Map<Dimension, List<Row>> rows = new EnumMap<>(Dimension.class);

    TimesText(ExitTimes times, LookOptions options, Console console) {
        this.times = times;
        this.options = options;
        this.console = console;
        nanos = times.unit().equals("ns");
    }

    private List<Row> rows(Dimension dimension) {
        return rows.computeIfAbsent(dimension, d -> times.rows(d, options.sort));
    }

    void print() {
        for (Dimension dimension : options.shown()) {
            List<Row> rows = rows(dimension);
            if (!rows.isEmpty()) {
                console.line("");
                print(dimension.heading(), rows);
            }
        }
        times.windows().ifPresent(this::print);
        remarks();
    }

    private void print(String heading, List<Row> rows) {
        List<Row> shown = rows.subList(0, Math.min(rows.size(), options.rows()));
        boolean timed = rows.stream().anyMatch(row -> row.all().count() > 0);
        boolean away = rows.stream().anyMatch(TimesText::wentAway);
        Table table = new Table("lrr" + (timed ? "rrrrrrrr" : "") + (away ? "rrrrr" : ""));
        table.row(headings(heading, timed, away));
        shown.forEach(row -> table.row(cells(row, timed, away)));
        console.out().print(table);
        if (shown.size() < rows.size()) {
            console.line("... %s more", Table.number(rows.size() - shown.size()));
        }
        if (options.histogram) {
            shown.stream()
                    .filter(row -> row.all().count() > 0 && row.byMagnitude().length > 0)
                    .forEach(this::histogram);
        }
    }

    private static boolean wentAway(Row row) {
        return row.userspaceExits() > 0 || row.haltedTime() > 0;
    }

    private Object[] headings(String heading, boolean timed, boolean away) {
        List<Object> cells = new ArrayList<>(List.of(heading, "COUNT", "SHARE"));
        String unit = nanos ? " us" : "";
        if (timed) {
            cells.add("TIME");
            for (String figure : List.of("MIN", "MEAN", "DEV", "P50", "P95", "P99", "MAX")) {
                cells.add(figure + unit);
            }
        }
        if (away) {
            cells.addAll(List.of("USERSPACE", "TIME THERE", "TIME HALTED"));
            cells.addAll(List.of("KERNEL MEAN" + unit, "KERNEL P99" + unit));
        }
        return cells.toArray();
    }

    private Object[] cells(Row row, boolean timed, boolean away) {
        List<Object> cells = new ArrayList<>();
        cells.add(row.subject().text());
        cells.add(row.count());
        cells.add(percent(row.share()));
        Spread all = row.all();
        if (timed && all.count() > 0) {
            cells.add(percent(row.timeShare()));
            cells.add(time(all.min()));
            cells.add(time(all.mean()));
            cells.add(time(all.deviation()));
            cells.add(time(all.p50()));
            cells.add(time(all.p95()));
            cells.add(time(all.p99()));
            cells.add(time(all.max()));
            if (away) {
                away(row, cells);
            }
        }
        return cells.toArray();
    }

    private void away(Row row, List<Object> cells) {
        cells.add(row.userspaceExits());
        cells.add(percent((double) row.userspaceTime() / Math.max(1, row.all().sum())));
        cells.add(percent((double) row.haltedTime() / Math.max(1, row.all().sum())));
        if (row.inside().count() > 0) {
            cells.add(time(row.inside().mean()));
            cells.add(time(row.inside().p99()));
        }
    }

    private void histogram(Row row) {
        long[] counts = row.byMagnitude();
        long most = 1;
        for (long count : counts) {
            most = Math.max(most, count);
        }
        console.line("");
        console.line(
                "%s, %s timed%s", row.subject().text(), row.all().count(), nanos ? ", us" : "");
        Table table = new Table("rlrlr");
        for (int i = TimesTree.lowest(counts); i <= TimesTree.highest(counts); i++) {
            int length = (int) ((counts[i] * BAR + most - 1) / most);
            String bar = "|" + "#".repeat(length) + " ".repeat(BAR - length) + "|";
            table.row(time(TimesTree.from(i)), "to", time(1L << i), bar, counts[i]);
        }
        console.out().print(table);
    }

    private void print(Windows windows) {
        for (Window window : windows.closed()) {
            console.line("");
            console.line(
                    "%s to %s s: %s%s",
                    seconds(window.from()),
                    seconds(window.to()),
                    exits(window.exits()),
                    window.gaps() == 0 ? "" : ", " + gaps(window.gaps()));
            window.rows()
                    .forEach((dimension, rows) -> {
                        if (!rows.isEmpty()) {
                            print(dimension.heading(), rows);
                        }
                    });
        }
        if (windows.leftOut() > 0) {
            console.line("");
            console.line(
                    "%s later windows are left out: choose a longer --interval",
                    Table.number(windows.leftOut()));
        }
    }

    private void remarks() {
        List<String> remarks = new ArrayList<>();
        if (times.timed() && !times.sawExit()) {
            remarks.add(
                    "No kvm_exit is in the trace: how many exits there were, for what reason and for how"
                            + " long, it does not tell.");
        } else if (times.timed() && times.entries() == 0) {
            remarks.add("No kvm_entry is in the trace: how long exits took, it does not tell.");
        } else if (times.timed() && times.withoutEntry() > 0) {
            remarks.add(
                    "%s not timed: no entry of the vCPU follows."
                            .formatted(exits(times.withoutEntry())));
        }
        if (times.gaps() > 0) {
            remarks.add(
                    "%s: the tracer lost %s, so counts are too low; %s not timed for that reason."
                            .formatted(
                                    gaps(times.gaps()),
                                    times.lost() == 0
                                            ? "events, it does not say how many"
                                            : Table.number(times.lost()) + " events",
                                    exits(times.acrossGaps())));
        }
        if (times.backwards() > 0) {
            remarks.add(
                    "%s not timed: their entry's time is before theirs."
                            .formatted(exits(times.backwards())));
        }
        options.shown().forEach(dimension -> others(dimension, remarks));
        if (!remarks.isEmpty()) {
            console.line("");
            remarks.forEach(console::line);
        }
    }

    private void others(Dimension dimension, List<String> remarks) {
        List<Row> rows = rows(dimension);
        if (!rows.isEmpty() && rows.getLast().subject().others()) {
            remarks.add(
                    "%s: more than %s different ones; %s of those that came later are counted as others."
                            .formatted(
                                    dimension.text(),
                                    Table.number(ExitTimes.LIMIT),
                                    Table.number(rows.getLast().count())));
        }
    }

    static String exits(long count) {
        return Table.number(count) + (count == 1 ? " VM exit" : " VM exits");
    }

    private static String gaps(long count) {
        return Table.number(count) + (count == 1 ? " gap" : " gaps");
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.2f%%", 100 * share);
    }

    private String time(long value) {
        return time((double) value);
    }

    /// Nanoseconds as microseconds, counts as they are.
    private String time(double value) {
        return nanos
                ? String.format(Locale.ROOT, "%,.3f", value / 1000)
                : String.format(Locale.ROOT, "%,.0f", value);
    }

    static String seconds(long nanos) {
        return String.format(Locale.ROOT, "%,.3f", nanos / 1e9);
    }
}

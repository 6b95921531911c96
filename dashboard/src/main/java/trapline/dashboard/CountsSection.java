package trapline.dashboard;

import java.util.List;
import java.util.Optional;
import trapline.replayer.DiffResult;
import trapline.replayer.SideBySide;
import trapline.replayer.SideBySide.Row;

/// Every count of both executions with its change; what is unchanged is folded away.
final class CountsSection {

    /// A guest may use any number of MSRs and ports; a page is for people.
    private static final int MOST = 500;

    private final Html html;
    private final DiffResult diff;
    private final SideBySide counts;

    private CountsSection(Html html, DiffResult diff) {
        this.html = html;
        this.diff = diff;
        counts = SideBySide.of(diff);
    }

    static void write(Html html, DiffResult diff) {
        new CountsSection(html, diff).write();
    }

    private void write() {
        html.open("section", "id", "counts").element("h2", "All counts");
        html.open("div", "class", "columns").open("div");
        table("VM exits by reason", counts.exitsByReason(), Optional.of(counts.exits()));
        if (counts.exitsByVcpu().size() > 1) {
            table("VM exits by vCPU", counts.exitsByVcpu(), Optional.empty());
        }
        table("Guest MSR accesses handled", accesses(), Optional.empty());
        table("Guest port accesses handled", counts.ports(), Optional.empty());
        table("Everything else", counts.rest(), Optional.empty());
        html.close().open("div");
        table(
                "Host RDMSR by MSR and cause",
                counts.hostByMsr(false),
                Optional.of(counts.host(false)));
        table(
                "Host WRMSR by MSR and cause",
                counts.hostByMsr(true),
                Optional.of(counts.host(true)));
        table("Returns by what the predictor held", counts.returns(), Optional.empty());
        table("Flushes of the predictor by cause", counts.rapFlushes(), Optional.empty());
        table("Mutations by field", counts.mutations(), Optional.empty());
        html.close().close().close();
    }

    /// What a trace cannot have all of says so next to its name.
    private List<Row> accesses() {
        return counts.msrs().stream()
                .map(row ->
                        diff.unseen(row.name())
                                .map(unseen ->
                                        new Row(
                                                "%s, at least: %s"
                                                        .formatted(row.name(), unseen.why()),
                                                row.base(),
                                                row.candidate()))
                                .orElse(row))
                .toList();
    }

    private void table(String title, List<Row> rows, Optional<Row> total) {
        if (rows.isEmpty()) {
            return;
        }
        List<Row> changed = rows.stream().filter(row -> row.change() != 0).toList();
        List<Row> same = rows.stream().filter(row -> row.change() == 0).toList();
        html.open("div", "class", "count").element("h3", title);
        if (total.isPresent() || !changed.isEmpty()) {
            changes(total, changed);
        }
        if (!same.isEmpty()) {
            unchanged(same, changed.isEmpty());
        }
        html.close();
    }

    private void changes(Optional<Row> total, List<Row> rows) {
        html.open("table");
        Cells.heads(html, "", "", "n", "base", "n", "candidate", "n", "change", "n", "");
        html.open("tbody");
        total.ifPresent(row -> change(row, "sum"));
        rows.stream().limit(MOST).forEach(row -> change(row, ""));
        cut(rows, "5");
        html.close().close();
    }

    private void change(Row row, String kind) {
        html.open("tr", "class", kind);
        Cells.name(html, row.name());
        Cells.numbers(html, row.base(), row.candidate());
        html.element("td", Numbers.percent(row), "class", "n muted");
        html.close();
    }

    private void unchanged(List<Row> rows, boolean all) {
        html.open("details");
        html.element(
                "summary", Numbers.plural(rows.size(), all ? "row" : "more row") + " unchanged");
        html.open("table");
        Cells.heads(html, "", "", "n", "both");
        html.open("tbody");
        for (Row row : rows.stream().limit(MOST).toList()) {
            html.open("tr");
            Cells.name(html, row.name());
            Cells.number(html, row.base());
            html.close();
        }
        cut(rows, "2");
        html.close().close().close();
    }

    private void cut(List<Row> rows, String columns) {
        if (rows.size() > MOST) {
            html.open("tr", "class", "folded");
            String more = Numbers.plural(rows.size() - MOST, "more row") + " in --format json";
            html.element("td", more, "colspan", columns).close();
        }
    }
}

package trapline.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import trapline.engine.cost.Range;
import trapline.engine.event.Event;
import trapline.engine.rule.Violation;
import trapline.replayer.Comparison;
import trapline.replayer.Comparison.Sensitivity;
import trapline.replayer.Describe;
import trapline.replayer.DiffResult;
import trapline.replayer.DiffResult.Difference;
import trapline.replayer.DiffResult.Divergence;
import trapline.replayer.DiffResult.Side;
import trapline.replayer.SideBySide;
import trapline.replayer.SideBySide.Row;
import trapline.replayer.Unseen;

/// A diff as a table for the terminal.
final class DiffText {

    private static final int MOST_DIFFERENCES = 5;

    /// A list with more unchanged rows than this shows only what changed.
    private static final int FEW = 6;

    /// A break-even beyond so many times a figure's range says nothing.
    private static final int FAR = 10;

    private static final String HANDLED = "  handled ";

    private final DiffResult diff;
    private final boolean all;
    private final Table table = new Table("lrrrl");

    private DiffText(DiffResult diff, boolean all) {
        this.diff = diff;
        this.all = all;
    }

    /// @param all whether long lists show their unchanged rows, too
    static String of(DiffResult diff, boolean all) {
        return new DiffText(diff, all).text();
    }

    private String text() {
        StringBuilder text = new StringBuilder();
        text.append(
                "session %s: %s on %s, %d vCPU%s, %s guest ops\n\n"
                        .formatted(
                                diff.session().name(),
                                diff.session().header().guest().name(),
                                diff.session().machines().platform().name(),
                                diff.session().vcpus(),
                                diff.session().vcpus() == 1 ? "" : "s",
                                Table.number(diff.base().tally().guestOps())));
        rows();
        text.append(table).append('\n');
        diff.notes().forEach(note -> text.append("note: ").append(note).append('\n'));
        text.append(verdict()).append('\n');
        text.append("first divergence: ")
                .append(diff.firstDivergence().map(DiffText::divergence).orElse("none"))
                .append('\n');
        text.append("guest-visible: ").append(guestVisible()).append('\n');
        text.append("safety rules: ").append(safety()).append('\n');
        return text.toString();
    }

    private void rows() {
        SideBySide counts = SideBySide.of(diff);
        table.row("", "base", "candidate", "change");
        table.row("", diff.base().policy(), diff.candidate().policy());
        row("", counts.exits());
        rows("  ", counts.exitsByReason());
        rows(HANDLED, withUnseen(counts.msrs()));
        row("", counts.host(false));
        rows("  ", counts.hostByMsr(false));
        row("", counts.host(true));
        rows("  ", counts.hostByMsr(true));
        row("", counts.fieldWrites());
        rows("returns ", counts.returns());
        rows("RAP flushes ", counts.rapFlushes());
        cycles();
    }

    private void row(String indent, Row row) {
        table.row(
                indent + row.name(),
                row.base(),
                row.candidate(),
                change(row.change()),
                unseen(indent, row).map(unseen -> "at least: " + unseen.why()).orElse(""));
    }

    private Optional<Unseen> unseen(String indent, Row row) {
        return indent.equals(HANDLED) ? diff.unseen(row.name()) : Optional.empty();
    }

    /// What a trace cannot have counts 0 at least; many such rows are in a note alone.
    private List<Row> withUnseen(List<Row> rows) {
        Set<String> unseen =
                diff.trace().stream()
                        .flatMap(trace -> trace.unseen().stream())
                        .map(Unseen::access)
                        .collect(Collectors.toCollection(TreeSet::new));
        rows.forEach(row -> unseen.remove(row.name()));
        List<Row> more = new ArrayList<>(rows);
        if (all || unseen.size() <= FEW) {
            unseen.forEach(access -> more.add(new Row(access, 0, 0)));
        }
        return more;
    }

    private static String change(long change) {
        return change == 0 ? "" : (change > 0 ? "+" : "") + Table.number(change);
    }

    private void rows(String indent, List<Row> rows) {
        long unchanged =
                rows.stream()
                        .filter(row -> row.change() == 0 && unseen(indent, row).isEmpty())
                        .count();
        boolean fold = !all && unchanged > FEW;
        for (Row row : rows) {
            if (!fold || row.change() != 0 || unseen(indent, row).isPresent()) {
                row(indent, row);
            }
        }
        if (fold) {
            table.row(indent + "… " + unchanged + " more, unchanged");
        }
    }

    private void cycles() {
        Range base = diff.base().projection().total();
        Range candidate = diff.candidate().projection().total();
        table.row(
                "cycles, typical (" + diff.costs().name() + ")",
                Math.round(base.typical()),
                Math.round(candidate.typical()),
                change(Math.round(candidate.typical() - base.typical())));
        table.row("  at the least", Math.round(base.low()), Math.round(candidate.low()));
        table.row("  at the most", Math.round(base.high()), Math.round(candidate.high()));
    }

    private String verdict() {
        Comparison comparison = diff.comparison();
        Range cycles = comparison.difference();
        String range = signed(cycles.typical()) + " cycles";
        if (cycles.low() != cycles.high()) {
            range += ", from %s to %s".formatted(signed(cycles.low()), signed(cycles.high()));
        }
        StringBuilder text = new StringBuilder("verdict: ");
        text.append(
                switch (comparison.verdict()) {
                    case EQUAL -> "both cost the same" + broken();
                    case CANDIDATE_CHEAPER -> "the candidate is cheaper" + broken() + ": " + range;
                    case BASE_CHEAPER -> "the base is cheaper" + broken() + ": " + range;
                    case DEPENDS -> "it depends" + broken() + ": " + range;
                });
        comparison.sensitivities().stream()
                .filter(sensitivity -> sensitivity.range().high() > 0)
                .forEach(sensitivity -> text.append("\n  ").append(sensitivity(sensitivity)));
        return text.toString();
    }

    /// No cost is told without the rules that one side alone breaks.
    private String broken() {
        return breaks("candidate", diff.candidate().breaksAlone(diff.base()))
                + breaks("base", diff.base().breaksAlone(diff.candidate()));
    }

    private static String breaks(String side, List<String> rules) {
        return rules.isEmpty()
                ? ""
                : ", but the %s breaks %s".formatted(side, String.join(" and ", rules));
    }

    private static String sensitivity(Sensitivity s) {
        return "%s times %s at %s cycles%s%s"
                .formatted(
                        change(s.more()),
                        s.figure(),
                        range(s.range()),
                        s.assumed() ? ", assumed" : "",
                        breakEven(s));
    }

    private static String breakEven(Sensitivity s) {
        if (Double.isNaN(s.breakEven()) || s.breakEven() > FAR * s.range().high()) {
            return "";
        }
        return "; both cost the same at %,.1f%s"
                .formatted(s.breakEven(), s.decides() ? ", within its range" : "");
    }

    private static String range(Range range) {
        return range.low() == range.high()
                ? Table.number(Math.round(range.typical()))
                : "%s (%s to %s)"
                        .formatted(
                                Table.number(Math.round(range.typical())),
                                Table.number(Math.round(range.low())),
                                Table.number(Math.round(range.high())));
    }

    private static String signed(double cycles) {
        long rounded = Math.round(cycles);
        return (rounded > 0 ? "+" : "") + Table.number(rounded);
    }

    private static String divergence(Divergence d) {
        return "vCPU %d, op %s, %s\n  %s"
                .formatted(
                        d.vcpu(), Table.number(d.op()), d.opName(), d.what().replace("; ", "\n  "));
    }

    private String safety() {
        StringBuilder broken = new StringBuilder();
        for (Side side : List.of(diff.base(), diff.candidate())) {
            for (Violation violation : side.violations()) {
                broken.append("\n  ")
                        .append(side.policy())
                        .append(": ")
                        .append(violation.describe());
            }
        }
        return broken.isEmpty() ? "kept by both" : broken.toString().stripTrailing();
    }

    private String guestVisible() {
        if (diff.guestVisible().identical()) {
            return "identical, op for op";
        }
        Describe describe = new Describe(diff.session().vendor());
        StringBuilder text =
                new StringBuilder(
                        "%s op%s"
                                .formatted(
                                        Table.number(diff.guestVisible().count()),
                                        diff.guestVisible().count() == 1
                                                ? " differs"
                                                : "s differ"));
        for (Difference d :
                diff.guestVisible().differences().stream().limit(MOST_DIFFERENCES).toList()) {
            text.append(
                    "\n  vCPU %d, op %s: base %s; candidate %s"
                            .formatted(
                                    d.vcpu(),
                                    Table.number(d.op()),
                                    event(describe, Optional.ofNullable(d.base())),
                                    event(describe, Optional.ofNullable(d.candidate()))));
        }
        return text.toString();
    }

    private static String event(Describe describe, Optional<? extends Event> event) {
        return event.map(describe::event).orElse("never ended");
    }
}

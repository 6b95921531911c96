package trapline.dashboard;

import java.util.Comparator;
import trapline.engine.cost.Range;
import trapline.replayer.Comparison;
import trapline.replayer.Comparison.Sensitivity;

/// What the verdict rests on: each figure whose count differs, and where it would turn the verdict.
final class FigureTable {

    private final Html html;
    private final Comparison comparison;

    /// Whether the candidate is cheaper with every figure typical.
    private final boolean cheaper;

    private FigureTable(Html html, Comparison comparison) {
        this.html = html;
        this.comparison = comparison;
        cheaper = comparison.difference().typical() < 0;
    }

    static void write(Html html, Comparison comparison) {
        new FigureTable(html, comparison).write();
    }

    private void write() {
        html.element("h3", "What the verdict rests on");
        html.open("table", "class", "figures");
        Cells.heads(
                html,
                "",
                "Figure whose count differs",
                "n",
                "Count",
                "n",
                "Cycles each",
                "",
                "",
                "n",
                "Difference, cycles",
                "n",
                "From \u2026 to",
                "picture",
                "Break-even, all others typical",
                "",
                "Candidate");
        html.open("tbody");
        comparison.sensitivities().stream()
                .sorted(Comparator.comparingDouble(FigureTable::weight).reversed())
                .forEach(this::figure);
        html.close().close();
        html.element(
                "p",
                "Blue: the candidate pays there; orange: it costs more. Band: the profile's range, with a"
                        + " mark where the figure is typical. Red: break-even.",
                "class",
                "muted");
    }

    private static double weight(Sensitivity figure) {
        return Math.abs(figure.difference().typical());
    }

    private void figure(Sensitivity figure) {
        Range adds = figure.difference();
        html.open("tr");
        html.open("td").text(Figures.words(figure.figure())).text(" ");
        html.element("code", figure.figure(), "class", "key").close();
        html.element("td", Numbers.change(figure.more()), "class", "n");
        html.element("td", Numbers.figure(figure.range()), "class", "n");
        html.open("td");
        Tags.origin(html, figure.assumed());
        html.close();
        String tone = adds.typical() > 0 ? "n more" : "n less";
        html.element("td", Numbers.cyclesChange(adds.typical()), "class", tone);
        html.element(
                "td",
                "%s \u2026 %s"
                        .formatted(
                                Numbers.cyclesChange(adds.low()),
                                Numbers.cyclesChange(adds.high())),
                "class",
                "n");
        html.open("td", "class", "picture");
        RangeBar.breakEven(html, figure, cheaper);
        html.close();
        html.element("td", turn(figure), "class", figure.decides() ? "turns" : "");
        html.close();
    }

    private String turn(Sensitivity figure) {
        if (Double.isNaN(figure.breakEven())) {
            return "no value turns it";
        }
        String even = Numbers.figure(figure.breakEven());
        boolean below = figure.more() > 0;
        if (figure.decides()) {
            return "pays %s %s".formatted(below ? "under" : "over", even);
        }
        return cheaper
                ? "pays unless %s %s".formatted(below ? "over" : "under", even)
                : "would pay %s %s".formatted(below ? "under" : "over", even);
    }
}

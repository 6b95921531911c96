package trapline.dashboard;

import java.util.Comparator;
import java.util.List;
import trapline.engine.cost.Range;
import trapline.replayer.Comparison.Sensitivity;
import trapline.replayer.DiffResult;

/// Cost against one unknown figure at a time: a picture for each figure that turns the verdict, or could
/// move it most.
final class BreakEvenSection {

    private static final int MOST = 6;

    /// Drawn even where no value of a figure turns the verdict.
    private static final int LEAST = 2;

    private final Html html;
    private final DiffResult diff;

    private BreakEvenSection(Html html, DiffResult diff) {
        this.html = html;
        this.diff = diff;
    }

    static void write(Html html, DiffResult diff) {
        if (!diff.comparison().sensitivities().isEmpty()) {
            new BreakEvenSection(html, diff).write();
        }
    }

    private void write() {
        List<Sensitivity> figures = figures(diff.comparison().sensitivities());
        html.open("section", "id", "break-even");
        html.element("h2", "Cost against one figure at a time");
        html.element(
                "p",
                "Across: what the figure costs. Up: the candidate's cycles less the base's over the"
                        + " whole run, all other figures typical; below the base's line the candidate"
                        + " is cheaper. The grey column is the profile's range of the figure; the pale"
                        + " fan is where the line may lie with the others anywhere in theirs.",
                "class",
                "muted");
        html.open("div", "class", "charts");
        figures.forEach(this::figure);
        html.close().close();
    }

    /// Those that turn the verdict within reach, then those that move it most.
    static List<Sensitivity> figures(List<Sensitivity> all) {
        List<Sensitivity> sorted =
                all.stream()
                        .sorted(
                                Comparator.comparing(Sensitivity::decides)
                                        .thenComparing(BreakEvenChart::isNear)
                                        .thenComparingDouble(BreakEvenSection::influence)
                                        .reversed())
                        .toList();
        long near = sorted.stream().filter(BreakEvenChart::isNear).count();
        return sorted.stream().limit(Math.clamp(near, LEAST, MOST)).toList();
    }

    /// How far the figure alone moves the difference.
    private static double influence(Sensitivity figure) {
        return figure.difference().high() - figure.difference().low();
    }

    private void figure(Sensitivity figure) {
        html.open("figure").open("figcaption").text(Figures.words(figure.figure()));
        html.open("div");
        Tags.origin(html, figure.assumed());
        html.element("code", figure.figure(), "class", "key").close().close();
        new BreakEvenChart(html, figure).write();
        html.open("p", "class", "muted").text(said(figure)).close();
        html.close();
    }

    private String said(Sensitivity figure) {
        String range =
                "The profile says %s; the candidate does it %s %s often."
                        .formatted(
                                Numbers.figure(figure.range()),
                                Numbers.plural(Math.abs(figure.more()), "time"),
                                figure.more() > 0 ? "more" : "less");
        if (Double.isNaN(figure.breakEven())) {
            return "No value turns it. " + range;
        }
        String others = others(figure);
        return "Both cost the same at %s%s. %s"
                .formatted(
                        Numbers.figure(figure.breakEven()),
                        others.isEmpty() ? "" : "; " + others,
                        range);
    }

    /// Where the break-even moves while the other figures move within their ranges.
    private static String others(Sensitivity figure) {
        Range even = figure.breakEvens();
        if (even.low() == even.high()) {
            return "";
        }
        return even.low() > 0
                ? "with the others anywhere in their ranges, between %s and %s"
                        .formatted(Numbers.figure(even.low()), Numbers.figure(even.high()))
                : "with the others anywhere in their ranges, anywhere up to %s or nowhere"
                        .formatted(Numbers.figure(even.high()));
    }
}

package trapline.dashboard;

import java.util.Locale;
import trapline.engine.cost.Range;
import trapline.replayer.Comparison.Sensitivity;

/// A picture of what the candidate costs over the base, across all that one figure may be.
final class BreakEvenChart {

    /// A break-even further out than this many times the figure's high end is not drawn to scale.
    private static final double FAR = 2.5;

    /// The part of the width that a label needs.
    private static final double EDGE = 0.36;

    private static final int TOP = 34;
    private static final int HEIGHT = 130;
    private static final int BOTTOM = TOP + HEIGHT;

    private final Html html;
    private final Sensitivity figure;
    private final Scale across;
    private final Scale up;

    BreakEvenChart(Html html, Sensitivity figure) {
        this.html = html;
        this.figure = figure;
        double high = figure.range().high();
        across = Scale.upTo(1.15 * (isNear(figure) ? Math.max(high, figure.breakEven()) : high));
        double first = figure.at(0).typical();
        double last = figure.at(across.to()).typical();
        up = Scale.around(Math.min(first, last), Math.max(first, last), 0.18);
    }

    /// Whether the value that turns the verdict is near what the profile says.
    static boolean isNear(Sensitivity figure) {
        return figure.breakEven() <= FAR * figure.range().high();
    }

    void write() {
        html.open("div", "class", "chart");
        heights();
        Drawing drawing = new Drawing(html, "plot", title()).says(words());
        ground(drawing);
        fan(drawing);
        lines(drawing);
        labels(drawing);
        drawing.close();
        html.close();
    }

    private String title() {
        return "Cost against " + figure.figure();
    }

    private String words() {
        String at = "%s cycles at %s";
        Range range = figure.range();
        return "Candidate less base: %s, %s, %s; %s"
                .formatted(
                        at.formatted(
                                Numbers.cyclesChange(figure.at(range.low()).typical()),
                                Numbers.figure(range.low())),
                        at.formatted(
                                Numbers.cyclesChange(figure.at(range.typical()).typical()),
                                Numbers.figure(range.typical())),
                        at.formatted(
                                Numbers.cyclesChange(figure.at(range.high()).typical()),
                                Numbers.figure(range.high())),
                        Double.isNaN(figure.breakEven())
                                ? "no break-even"
                                : "break-even at " + Numbers.figure(figure.breakEven()));
    }

    /// The axis that goes up, in a drawing of its own: its texts have a width of their own.
    private void heights() {
        Drawing drawing = new Drawing(html, "heights", "axis in cycles");
        for (double tick : up.ticks()) {
            int y = (int) Math.round(y(tick));
            String text = (tick > 0 ? "+" : "") + Numbers.brief(tick);
            drawing.text("100%", y + 4, "end", -5, text, "muted");
        }
        drawing.close();
    }

    private void ground(Drawing drawing) {
        int zero = (int) Math.round(y(0));
        drawing.rect("0", TOP, "100%", zero - TOP, "costs");
        drawing.rect("0", zero, "100%", BOTTOM - zero, "pays");
        for (double tick : up.ticks()) {
            int y = (int) Math.round(y(tick));
            drawing.line("0", y, "100%", y, "hair");
        }
        Range range = figure.range();
        if (range.low() < range.high()) {
            String width = across.width(range.low(), range.high());
            drawing.rect(across.at(range.low()), TOP, width, HEIGHT, "column");
        }
        for (double tick : across.ticks()) {
            drawing.mark(across, tick, BOTTOM);
        }
    }

    private void fan(Drawing drawing) {
        Range others = figure.others();
        if (others.low() < others.high()) {
            Range start = figure.at(0);
            Range end = figure.at(across.to());
            String points =
                    "0,%s 1000,%s 1000,%s 0,%s"
                            .formatted(
                                    thousandths(start.high()),
                                    thousandths(end.high()),
                                    thousandths(end.low()),
                                    thousandths(start.low()));
            drawing.patch(TOP, HEIGHT, points, "fan");
        }
    }

    private void lines(Drawing drawing) {
        drawing.slope("0", y(0), "100%", y(0), "base");
        double end = figure.at(across.to()).typical();
        drawing.slope("0", y(figure.at(0).typical()), "100%", y(end), "candidate");
    }

    /// The lines are named where they are furthest apart.
    private void labels(Drawing drawing) {
        marks(drawing);
        double first = figure.at(0).typical();
        double last = figure.at(across.to()).typical();
        boolean right = Math.abs(last) >= Math.abs(first);
        double furthest = right ? last : first;
        String x = right ? "100%" : "0";
        String anchor = right ? "end" : "start";
        int dx = right ? -4 : 4;
        int over = furthest > 0 ? -5 : 13;
        drawing.text(x, (int) Math.round(y(furthest)) + over, anchor, dx, "candidate", "name");
        drawing.text(x, (int) Math.round(y(0)) + over, anchor, dx, "base", "name");
    }

    /// What is typical and where both cost the same, each on the side where it does not meet the other;
    /// one that has to lie across the other's mark has the upper row, up to which the other's does not reach.
    private void marks(Drawing drawing) {
        double typical = figure.range().typical();
        double even = figure.breakEven();
        String typically = "typical " + Numbers.figure(typical);
        if (!isNear(figure)) {
            mark(drawing, typical, false, typical < across.to() / 2, typically, "typical");
            if (!Double.isNaN(even)) {
                String text = "break-even %s \u25b8".formatted(Numbers.figure(even));
                drawing.text("100%", 11, "end", -2, text, "even");
            }
            return;
        }
        boolean evenFirst = even < typical;
        double left = Math.min(even, typical);
        double right = Math.max(even, typical);
        boolean leftInward = left < EDGE * across.to();
        boolean rightInward = right > (1 - EDGE) * across.to();
        String turn = "break-even " + Numbers.figure(even);
        mark(
                drawing,
                left,
                leftInward,
                leftInward,
                evenFirst ? turn : typically,
                evenFirst ? "even" : "typical");
        mark(
                drawing,
                right,
                rightInward && !leftInward,
                !rightInward,
                evenFirst ? typically : turn,
                evenFirst ? "typical" : "even");
    }

    private void mark(
            Drawing drawing, double at, boolean upper, boolean right, String text, String kind) {
        String x = across.at(at);
        drawing.vertical(x, upper ? TOP - 20 : TOP - 6, BOTTOM, kind);
        int y = upper ? 12 : 28;
        drawing.text(x, y, right ? "start" : "end", right ? 4 : -4, text, kind);
    }

    private double y(double cycles) {
        return BOTTOM - HEIGHT * (cycles - up.from()) / (up.to() - up.from());
    }

    private String thousandths(double cycles) {
        double part = 1000 * (up.to() - cycles) / (up.to() - up.from());
        return String.format(Locale.ROOT, "%.1f", Math.clamp(part, -1e6, 1e6));
    }
}

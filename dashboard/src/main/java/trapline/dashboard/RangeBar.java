package trapline.dashboard;

import trapline.engine.cost.Range;
import trapline.replayer.Comparison.Sensitivity;

/// Pictures of what is known of a number: its range, what is typical, and where the verdict turns.
final class RangeBar {

    /// A break-even further out than this many times the figure's high end is not drawn to scale.
    private static final double FAR = 2.5;

    private final Drawing drawing;
    private final Scale scale;

    private RangeBar(Drawing drawing, Scale scale) {
        this.drawing = drawing;
        this.scale = scale;
    }

    /// The difference of both executions around 0: as far as all figures move it, and assumed ones alone.
    static void difference(Html html, Range difference, Range assumed) {
        String low = Numbers.cyclesChange(difference.low());
        String typical = Numbers.cyclesChange(difference.typical());
        String high = Numbers.cyclesChange(difference.high());
        String words = "Difference: %s cycles, from %s to %s".formatted(typical, low, high);
        Drawing drawing = new Drawing(html, "difference", words);
        RangeBar bar =
                new RangeBar(drawing, Scale.around(difference.low(), difference.high(), 0.17));
        String zero = bar.scale.at(0);
        drawing.rect("0", 22, zero, 36, "pays").rect(zero, 22, "100%", 36, "costs");
        drawing.text("0", 14, "start", 0, "\u25c2 candidate cheaper", "muted");
        drawing.text("100%", 14, "end", 0, "base cheaper \u25b8", "muted");
        bar.band(difference, 31, 18, "range");
        bar.band(assumed, 36, 8, "assumed");
        drawing.vertical(zero, 16, 64, "zero");
        if (difference.low() < difference.high()) {
            drawing.text(bar.scale.at(difference.low()), 44, "end", -6, low, "end");
            drawing.text(bar.scale.at(difference.high()), 44, "start", 6, high, "end");
        }
        String x = bar.scale.at(difference.typical());
        drawing.vertical(x, 26, 54, "typical").text(x, 73, "middle", 0, typical, "key");
        drawing.close();
    }

    /// One figure from 0 on: where the candidate pays, the range that the profile gives, the break-even.
    ///
    /// @param cheaper whether the candidate is, with every figure typical
    static void breakEven(Html html, Sensitivity figure, boolean cheaper) {
        Range range = figure.range();
        double even = figure.breakEven();
        boolean near = even <= FAR * range.high();
        Scale scale = Scale.upTo(1.15 * (near ? Math.max(range.high(), even) : range.high()));
        Drawing drawing = new Drawing(html, "figure", words(figure));
        RangeBar bar = new RangeBar(drawing, scale);
        String turn = near ? scale.at(even) : "100%";
        boolean paysBelow = near ? figure.more() > 0 : cheaper;
        drawing.rect("0", 12, turn, 20, paysBelow ? "pays" : "costs");
        drawing.rect(turn, 12, "100%", 20, paysBelow ? "costs" : "pays");
        bar.band(range, 17, 10, "range");
        drawing.vertical(scale.at(range.typical()), 14, 30, "typical");
        if (near) {
            drawing.vertical(turn, 11, 33, "even");
            drawing.text(turn, 9, bar.anchor(even), 0, Numbers.figure(even), "even");
        } else if (!Double.isNaN(even)) {
            drawing.text("100%", 9, "end", -2, Numbers.figure(even) + " \u25b8", "even");
        }
        drawing.close();
    }

    private static String words(Sensitivity figure) {
        String even =
                Double.isNaN(figure.breakEven())
                        ? "no break-even"
                        : "break-even at " + Numbers.figure(figure.breakEven());
        return "%s: %s cycles, %s".formatted(figure.figure(), Numbers.figure(figure.range()), even);
    }

    private void band(Range range, int y, int height, String kind) {
        if (range.low() < range.high()) {
            String width = scale.width(range.low(), range.high());
            drawing.rect(scale.at(range.low()), y, width, height, kind);
        }
    }

    /// So that a label at either end of the drawing stays inside.
    private String anchor(double value) {
        if (value < scale.to() / 4) {
            return "start";
        }
        return value > scale.to() * 3 / 4 ? "end" : "middle";
    }
}

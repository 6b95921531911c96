package trapline.dashboard;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import trapline.engine.cost.Range;

/// A picture of two stacked bars on one scale, the base's over the candidate's, and its legend.
final class StackedBars {

    /// As many as the style sheet has colours; what matters less is drawn together.
    private static final int COLOURS = 8;

    private static final String OTHERS = "others";

    private static final int BAR = 22;

    /// The width of a letter, as a part of a bar's on a wide screen.
    private static final double LETTER = 0.0155;

    private final String title;
    private final String unit;
    private final List<Part> parts;
    private final Range base;
    private final Range candidate;

    /// One colour of both bars.
    record Part(String name, double base, double candidate) {

        double larger() {
            return Math.max(base, candidate);
        }

        boolean changed() {
            return base != candidate;
        }

        /// How much it matters: a change is what people look for.
        double weight() {
            return larger() + 20 * Math.abs(candidate - base);
        }

        Part plus(Part other) {
            return new Part(name, base + other.base, candidate + other.candidate);
        }
    }

    /// @param base the whole; drawn with whiskers where it is in doubt
    StackedBars(String title, String unit, List<Part> parts, Range base, Range candidate) {
        this.title = title;
        this.unit = unit;
        this.parts = chosen(parts);
        this.base = base;
        this.candidate = candidate;
    }

    /// The largest parts, and those that changed most, as many as there are colours.
    ///
    /// What is unchanged comes first in the bars, so that it lies under itself and the changes begin at
    /// the same place.
    private static List<Part> chosen(List<Part> parts) {
        List<Part> sorted = new ArrayList<>(parts);
        sorted.sort(Comparator.comparingDouble(Part::weight).reversed());
        int kept = sorted.size() <= COLOURS ? sorted.size() : COLOURS - 1;
        List<Part> rest = sorted.subList(kept, sorted.size());
        List<Part> chosen = new ArrayList<>(sorted.subList(0, kept));
        chosen.sort(
                Comparator.comparing(Part::changed)
                        .thenComparing(Comparator.comparingDouble(Part::larger).reversed()));
        if (!rest.isEmpty()) {
            Part together = new Part(rest.size() + " " + OTHERS, 0, 0);
            for (Part part : rest) {
                together = together.plus(part);
            }
            chosen.add(together);
        }
        return chosen;
    }

    void write(Html html) {
        if (parts.isEmpty()) {
            return;
        }
        html.open("figure").element("figcaption", title);
        Scale scale = Scale.upTo(Math.max(base.high(), candidate.high()) * 1.02);
        html.open("div", "class", "bars");
        bar(html, "base", scale, base, parts.stream().map(Part::base).toList());
        bar(html, "candidate", scale, candidate, parts.stream().map(Part::candidate).toList());
        axis(html, scale);
        html.close();
        legend(html);
        html.close();
    }

    private void bar(Html html, String side, Scale scale, Range total, List<Double> values) {
        String typical = Numbers.cycles(total.typical());
        html.element("span", side, "class", "side");
        Drawing drawing =
                new Drawing(
                        html,
                        total.low() < total.high() ? "doubtful bar" : "bar",
                        "%s, %s: %s %s".formatted(title, side, typical, unit));
        double from = 0;
        for (int i = 0; i < values.size(); i++) {
            double value = values.get(i);
            if (value > 0) {
                String width = scale.width(0, value);
                String name = parts.get(i).name();
                boolean room = value / scale.to() > (name.length() + 1.5) * LETTER;
                drawing.named(scale.at(from), width, BAR, colour(i), name, room);
                from += value;
            }
        }
        if (total.low() < total.high()) {
            whisker(drawing, scale.at(total.low()), scale.at(total.high()));
        }
        drawing.close();
        html.element("span", typical, "class", "total");
    }

    /// What the style sheet calls the colour of a part.
    private String colour(int part) {
        return parts.get(part).name().endsWith(" " + OTHERS) ? OTHERS : "s" + part;
    }

    /// Under the bar: from the least to the most that the whole may be.
    private static void whisker(Drawing drawing, String low, String high) {
        int y = BAR + 5;
        drawing.line(low, y, high, y, "").vertical(low, y - 3, y + 4, "");
        drawing.vertical(high, y - 3, y + 4, "");
    }

    private void axis(Html html, Scale scale) {
        html.element("span", "", "class", "side");
        Drawing drawing = new Drawing(html, "axis", "axis in " + unit);
        for (double tick : scale.ticks()) {
            drawing.mark(scale, tick);
        }
        drawing.close();
        html.element("span", unit, "class", "unit");
    }

    private void legend(Html html) {
        html.open("table", "class", "legend");
        Cells.heads(html, "", unit, "n", "base", "n", "candidate", "n", "change");
        html.open("tbody");
        for (int i = 0; i < parts.size(); i++) {
            Part part = parts.get(i);
            html.open("tr").open("td");
            new Drawing(html, "swatch", "").rect("0", 0, "10", 10, colour(i)).close();
            html.element("span", part.name(), "class", "id").close();
            Cells.numbers(html, Math.round(part.base()), Math.round(part.candidate()));
            html.close();
        }
        html.close().close();
    }
}

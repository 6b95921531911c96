package trapline.dashboard;

import java.util.Locale;

/// One SVG picture: across in percent of its width, as a [Scale] gives them, down in pixels.
///
/// So it fits any width without its texts growing or shrinking.
final class Drawing {

    private final Html html;

    /// @param kind what the style sheet calls it, which also gives its height
    /// @param words what it shows, for those who do not see it
    Drawing(Html html, String kind, String words) {
        this.html = html;
        html.open("svg", "class", kind, "role", "img", "aria-label", words);
    }

    Drawing rect(String x, int y, String width, int height, String kind) {
        html.empty(
                "rect",
                "x",
                x,
                "y",
                Integer.toString(y),
                "width",
                width,
                "height",
                Integer.toString(height),
                "class",
                kind);
        return this;
    }

    /// A rectangle that says its name, inside where there is room and to the pointer.
    Drawing named(String x, String width, int height, String kind, String name, boolean inside) {
        html.open("svg", "x", x, "width", width, "height", Integer.toString(height));
        html.open("g").element("title", name);
        rect("0", 0, "100%", height, kind);
        html.close();
        if (inside) {
            text("0", height - 7, "start", 5, name, "in-" + kind);
        }
        html.close();
        return this;
    }

    /// A patch between two numbers of another scale across and down, in a window of its own.
    ///
    /// @param points pairs of thousandths of the window's width and height
    Drawing patch(int y, int height, String points, String kind) {
        html.open(
                "svg",
                "y",
                Integer.toString(y),
                "width",
                "100%",
                "height",
                Integer.toString(height),
                "viewBox",
                "0 0 1000 1000",
                "preserveAspectRatio",
                "none");
        html.empty("polygon", "points", points, "class", kind).close();
        return this;
    }

    /// A line that is neither upright nor level.
    Drawing slope(String x1, double y1, String x2, double y2, String kind) {
        html.empty(
                "line",
                "x1",
                x1,
                "y1",
                pixels(y1),
                "x2",
                x2,
                "y2",
                pixels(y2),
                "class",
                kind + " slope");
        return this;
    }

    private static String pixels(double y) {
        return String.format(Locale.ROOT, "%.2f", y);
    }

    Drawing vertical(String x, int from, int to, String kind) {
        return line(x, from, x, to, kind);
    }

    Drawing line(String x1, int y1, String x2, int y2, String kind) {
        html.empty(
                "line",
                "x1",
                x1,
                "y1",
                Integer.toString(y1),
                "x2",
                x2,
                "y2",
                Integer.toString(y2),
                "class",
                kind);
        return this;
    }

    /// @param anchor which end of the text is at `x`: `start`, `middle` or `end`
    /// @param dx how far to the right of it, in pixels
    Drawing text(String x, int y, String anchor, int dx, String text, String kind) {
        html.element(
                "text",
                text,
                "x",
                x,
                "y",
                Integer.toString(y),
                "dx",
                Integer.toString(dx),
                "text-anchor",
                anchor,
                "class",
                kind);
        return this;
    }

    /// A number on an axis at the top.
    Drawing mark(Scale scale, double tick) {
        return mark(scale, tick, 0);
    }

    /// A number on an axis, which at either end stays within the drawing.
    Drawing mark(Scale scale, double tick, int y) {
        double part = (tick - scale.from()) / (scale.to() - scale.from());
        String anchor = part < 0.02 ? "start" : part > 0.97 ? "end" : "middle";
        String x = scale.at(tick);
        return vertical(x, y, y + 4, "tick")
                .text(x, y + 15, anchor, 0, Numbers.brief(tick), "muted");
    }

    /// A longer description, for those who do not see it.
    Drawing says(String words) {
        html.element("desc", words);
        return this;
    }

    void close() {
        html.close();
    }
}

package trapline.dashboard;

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
            text("0", height - 7, "start", 5, name, "");
        }
        html.close();
        return this;
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

    void close() {
        html.close();
    }
}

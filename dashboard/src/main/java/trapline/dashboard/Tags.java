package trapline.dashboard;

/// Small marks beside a number.
final class Tags {

    private Tags() {}

    /// Whether somebody measured a figure or it is a guess.
    static void origin(Html html, boolean assumed) {
        html.element(
                "span", assumed ? "assumed" : "sourced", "class", assumed ? "tag guess" : "tag");
    }
}

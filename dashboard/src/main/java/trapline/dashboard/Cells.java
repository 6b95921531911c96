package trapline.dashboard;

/// Cells that every table writes alike.
final class Cells {

    private Cells() {}

    /// A head row: the class of each column and its name in turn.
    static void heads(Html html, String... heads) {
        html.open("thead").open("tr");
        for (int i = 0; i < heads.length; i += 2) {
            html.element("th", heads[i + 1], "class", heads[i]);
        }
        html.close().close();
    }

    /// A name of the program's or of a user's own.
    static void name(Html html, String name) {
        html.element("td", name, "class", "id");
    }

    static void number(Html html, long number) {
        html.element("td", Numbers.count(number), "class", "n");
    }

    /// Both sides' numbers and the change, coloured by its sign and empty where there is none.
    static void numbers(Html html, long base, long candidate) {
        number(html, base);
        number(html, candidate);
        long change = candidate - base;
        html.element(
                "td",
                change == 0 ? "" : Numbers.change(change),
                "class",
                change > 0 ? "n more" : "n less");
    }
}

package trapline.engine;

import java.util.List;

/// The trees by name, and ranges of them: `all`, `5.4-6.12`, `6.18+`, `6.6`.
public final class Trees {

    public static final List<String> ALL =
            List.of("5.4", "5.15", "6.1", "6.6", "6.12", "6.18", "7.1");

    private Trees() {}

    /// The policies of a range.
    public static List<String> of(String range) {
        if (range.equals("all")) {
            return policies(0, ALL.size() - 1);
        }
        if (range.endsWith("+")) {
            return policies(index(range.substring(0, range.length() - 1)), ALL.size() - 1);
        }
        int dash = range.indexOf('-');
        return dash < 0
                ? policies(index(range), index(range))
                : policies(index(range.substring(0, dash)), index(range.substring(dash + 1)));
    }

    private static int index(String tree) {
        Check.that(ALL.contains(tree), "no tree %s", tree);
        return ALL.indexOf(tree);
    }

    private static List<String> policies(int first, int last) {
        return ALL.subList(first, last + 1).stream().map(tree -> "kvm-" + tree).toList();
    }
}

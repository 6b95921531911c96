package trapline.replayer.cases;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Node;
import trapline.engine.text.Suggestion;

/// Words with counts among them, as in `exits {exits} times`.
public final class Sentence {

    private static final Pattern COUNT = Pattern.compile("\\{([^{}]*)\\}");

    private final String text;

    private Sentence(String text) {
        this.text = text;
    }

    static Sentence of(Node node, Set<String> counts) {
        for (String name : names(node.text())) {
            if (!counts.contains(name)) {
                throw node.error(
                        Kind.UNKNOWN_NAME,
                        "no count is called '%s'%s",
                        name,
                        Suggestion.orAll(name, "counts", counts));
            }
        }
        return new Sentence(node.text().strip());
    }

    private static List<String> names(String text) {
        List<String> names = new ArrayList<>();
        COUNT.matcher(text).results().forEach(found -> names.add(found.group(1)));
        return names;
    }

    String with(Map<String, Number> counts) {
        return COUNT.matcher(text)
                .replaceAll(found -> Matcher.quoteReplacement(number(counts.get(found.group(1)))));
    }

    /// With a comma every three digits, and two digits behind the point where there are any.
    public static String number(Number number) {
        if (number instanceof Double real && real != Math.rint(real)) {
            return String.format(Locale.ROOT, "%,.2f", real);
        }
        return String.format(Locale.ROOT, "%,d", number.longValue());
    }
}

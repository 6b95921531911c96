package trapline.engine.text;

import dev.cel.common.CelIssue;
import dev.cel.common.CelValidationException;
import java.util.Collection;
import java.util.Locale;
import java.util.function.IntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Node.Place;

/// What is wrong with a CEL expression: a line in a user's words, and the place marked below it.
public final class CelMessage {

    private static final Pattern UNKNOWN = Pattern.compile("undeclared reference to '([^']*)'.*");
    private static final Pattern OVERLOAD =
            Pattern.compile("found no matching overload for '([^']*)' applied to '\\((.*?)\\)'.*");
    private static final Pattern TYPE =
            Pattern.compile("expected type '([^']*)' but found '([^']*)'.*");
    private static final Pattern TOKEN = Pattern.compile("token recognition error at: '(.*)'");
    private static final Pattern INPUT =
            Pattern.compile("(?:mismatched|extraneous) input '(.*?)' expecting.*");
    private static final Pattern NO_ALTERNATIVE =
            Pattern.compile("no viable alternative at input '(.*)'");
    private static final Pattern RECURSION =
            Pattern.compile(".*recursion limit exceeded.*", Pattern.CASE_INSENSITIVE);
    private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_.]*");

    /// How much of a long expression is shown on either side of the place.
    private static final int AROUND = 50;

    private final String source;
    private final Collection<String> variables;
    private final String functions;
    private final CelIssue issue;

    private CelMessage(
            String source, Collection<String> variables, String functions, CelIssue issue) {
        this.source = source;
        this.variables = variables;
        this.functions = functions;
        this.issue = issue;
    }

    /// The first thing that is wrong.
    ///
    /// @param start where the expression's first character stands
    /// @param variables those that there are
    public static InputException of(
            CelValidationException e, String source, Place start, Collection<String> variables) {
        boolean oneLine = source.strip().indexOf('\n') < 0;
        return new CelMessage(source, variables, "", e.getErrors().getFirst())
                .at(offset ->
                        oneLine
                                ? new Place(start.file(), start.line(), start.column() + offset)
                                : start);
    }

    /// The first thing that is wrong with what stands in a file.
    ///
    /// @param places where the character at an offset stands
    /// @param variables those that there are
    /// @param functions what is said of those that there are
    public static InputException of(
            CelValidationException e,
            String source,
            IntFunction<Place> places,
            Collection<String> variables,
            String functions) {
        return new CelMessage(source, variables, functions, e.getErrors().getFirst()).at(places);
    }

    private InputException at(IntFunction<Place> places) {
        int offset = offset();
        return new InputException(
                Kind.SYNTAX,
                places.apply(offset).toString(),
                message(offset) + '\n' + marked(offset));
    }

    /// Of the place in the source, in characters from its beginning.
    private int offset() {
        int offset = 0;
        for (int line = 1; line < issue.getSourceLocation().getLine(); line++) {
            offset = source.indexOf('\n', offset) + 1;
        }
        offset += Math.max(0, issue.getSourceLocation().getColumn());
        return Math.clamp(offset, 0, source.stripTrailing().length());
    }

    private String message(int offset) {
        String raw = issue.getMessage().lines().findFirst().orElse("");
        if (source.isBlank()) {
            return "expected a condition, found nothing";
        }
        Matcher found = UNKNOWN.matcher(raw);
        if (found.matches()) {
            return unknown(found.group(1), offset);
        }
        found = OVERLOAD.matcher(raw);
        if (found.matches()) {
            return overload(found.group(1), found.group(2));
        }
        found = TYPE.matcher(raw);
        if (found.matches()) {
            return "expected %s, found %s".formatted(found.group(1), found.group(2));
        }
        if (RECURSION.matcher(raw).matches()) {
            return "the condition is nested too deeply";
        }
        for (Pattern syntax : new Pattern[] {TOKEN, INPUT, NO_ALTERNATIVE}) {
            found = syntax.matcher(raw);
            if (found.matches()) {
                return unexpected(found.group(1).strip());
            }
        }
        return raw;
    }

    private String unknown(String name, int offset) {
        if (source.startsWith("(", offset)) {
            return "unknown function '%s'%s".formatted(name, functions);
        }
        Matcher whole = NAME.matcher(source).region(offset, source.length());
        String word = whole.lookingAt() && whole.group().startsWith(name) ? whole.group() : name;
        boolean call = source.startsWith("(", Math.min(offset + word.length(), source.length()));
        return call
                ? "unknown function '%s'%s".formatted(word, functions)
                : "unknown variable '%s'%s"
                        .formatted(word, Suggestion.orAll(word, "variables", variables));
    }

    private static String overload(String function, String types) {
        String sign = function.replace("_", "").toLowerCase(Locale.ROOT);
        boolean mixed = types.contains("uint") && types.replace("uint", "").contains("int");
        return "'%s' does not take %s%s"
                .formatted(
                        sign.isEmpty() ? function : sign,
                        types.replace(", ", " and "),
                        mixed ? "; a u makes a number unsigned, as in 5u" : "");
    }

    private static String unexpected(String what) {
        if (what.startsWith("=") && !what.startsWith("==")) {
            return "unexpected '='; '==' compares";
        }
        return what.equals("<EOF>")
                ? "the condition ends too early"
                : "unexpected '%s'".formatted(what);
    }

    private String marked(int offset) {
        int from = Math.max(0, offset - AROUND);
        int to = Math.min(source.length(), offset + AROUND);
        String before = from == 0 ? "" : "…";
        String shown = source.substring(from, to).stripTrailing().replaceAll("\\s", " ");
        String after = to == source.length() ? "" : "…";
        return "  %s%s%s\n  %s^"
                .formatted(before, shown, after, " ".repeat(before.length() + offset - from));
    }
}

package trapline.replayer.cases;

import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Node;
import trapline.engine.text.Resources;
import trapline.engine.text.Suggestion;
import trapline.replayer.EventQuery;
import trapline.replayer.Where;

/// A claim, the executions that bear on it, what is counted of them, and what the counts say.
///
/// @param findings in order; the first whose condition holds is the verdict, and the last has none
public record Case(
        About about,
        SequencedMap<String, Subject> sessions,
        SequencedMap<String, Compared> diffs,
        SequencedMap<String, Count> counts,
        List<Finding> findings,
        Optional<Look> look) {

    /// @param thread the mailing list's thread that it is of, 0 to 4
    /// @param asked who said so, where
    /// @param confirm who could tell on hardware, and how
    /// @param text the file
    public record About(
            String name,
            Optional<Integer> thread,
            String claim,
            String asked,
            String confirm,
            String text) {}

    /// A session to record.
    public record Subject(
            Node node,
            Node guest,
            Optional<InlineGuest> inline,
            Optional<Node> cpu,
            Optional<Node> policy,
            Optional<Node> vcpus,
            long seed) {}

    /// A diff of one of the sessions.
    ///
    /// @param base where it is not the session's own policy
    /// @param cost where it is not the platform's own profile
    public record Compared(
            String session, Optional<Node> base, Node candidate, Optional<Node> cost) {}

    /// A number.
    public sealed interface Count {

        /// Computed from results and from the counts before it.
        record Computed(Formula formula) implements Count {}

        /// How many events of a session fit.
        record Counted(Events events) implements Count {}
    }

    /// Events of a session: by type, by condition, or both.
    public record Events(String session, Set<String> types, Optional<Where> where) {

        EventQuery query() {
            return new EventQuery(1, Long.MAX_VALUE, Optional.empty(), types, where);
        }
    }

    public enum Verdict {
        HOLDS,
        FAILS,
        DEPENDS,
        MOOT;

        public String text() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /// What it means that a condition holds.
    public record Finding(Optional<Formula> when, Verdict verdict, Sentence because) {}

    /// Which event to show.
    public sealed interface Look {

        /// The first of a session that fits.
        record First(Events events) implements Look {}

        /// The first at which a diff's sides part.
        record Parting(String diff) implements Look {}

        /// The first of a session that broke a safety rule.
        record Broken(String session, String rule) implements Look {}

        /// The first of a diff's side that did.
        record BrokenInDiff(String diff, boolean candidate, String rule) implements Look {}
    }

    public static List<String> builtIn() {
        return Resources.names("cases");
    }

    /// The case that a user's word means: a built-in name, or a file.
    public static Case find(String name, Function<String, Optional<String>> files) {
        if (builtIn().contains(name)) {
            return CaseReader.read(Resources.text("cases/" + name + ".yaml").orElseThrow(), name);
        }
        return CaseReader.read(files.apply(name).orElseThrow(() -> unknown(name)), name);
    }

    private static InputException unknown(String name) {
        String near = Suggestion.of(name, new TreeSet<>(builtIn()));
        return new InputException(
                Kind.UNKNOWN_NAME,
                "",
                "unknown case '%s'%s"
                        .formatted(name, near.isEmpty() ? "; 'trapline cases' lists them" : near));
    }
}

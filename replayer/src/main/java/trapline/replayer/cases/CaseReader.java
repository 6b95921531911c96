package trapline.replayer.cases;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;
import trapline.engine.rule.Rules;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Node;
import trapline.engine.text.Suggestion;
import trapline.engine.text.Yaml;
import trapline.replayer.EventQuery;
import trapline.replayer.Where;
import trapline.replayer.cases.Case.About;
import trapline.replayer.cases.Case.Compared;
import trapline.replayer.cases.Case.Count;
import trapline.replayer.cases.Case.Events;
import trapline.replayer.cases.Case.Finding;
import trapline.replayer.cases.Case.Look;
import trapline.replayer.cases.Case.Subject;
import trapline.replayer.cases.Case.Verdict;

/// Reads a case's file.
final class CaseReader {

    private static final int MOST_SESSIONS = 100;
    private static final int MOST_COUNTS = 500;
    private static final int MOST_VCPUS = 1024;

    private static final List<String> SIDES = List.of("base", "candidate");
    private static final List<String> VERDICTS =
            Stream.of(Verdict.values()).map(Verdict::text).toList();
    static final List<String> RULES = Stream.of(Rules.Name.values()).map(Rules.Name::text).toList();

    private final Node root;
    private final String text;
    private final Map<String, InlineGuest> guests = new TreeMap<>();

    /// What expressions may use so far.
    private final Set<String> variables = new TreeSet<>();

    private CaseReader(Node root, String text) {
        this.root = root;
        this.text = text;
    }

    static Case read(String text, String file) {
        return new CaseReader(Yaml.parse(text, file), text).read();
    }

    private Case read() {
        root.allow(
                "a case",
                List.of(
                        "case",
                        "thread",
                        "claim",
                        "asked",
                        "confirm",
                        "guests",
                        "sessions",
                        "diffs",
                        "counts",
                        "verdict",
                        "event"));
        List<String> lines = text.lines().toList();
        named("guests", (name, node) -> guests.put(name, InlineGuest.of(name, node, lines)));
        SequencedMap<String, Subject> sessions = all("sessions", MOST_SESSIONS, this::subject);
        if (sessions.isEmpty()) {
            throw root.error(Kind.SYNTAX, "'sessions' is missing");
        }
        SequencedMap<String, Compared> diffs =
                all("diffs", MOST_SESSIONS, node -> compared(node, sessions.keySet()));
        SequencedMap<String, Count> counts =
                all("counts", MOST_COUNTS, node -> count(node, sessions.keySet()));
        List<Finding> findings = findings(counts.keySet());
        return new Case(
                about(),
                sessions,
                diffs,
                counts,
                findings,
                root.find("event").map(node -> look(node, sessions.keySet(), diffs.keySet())));
    }

    private About about() {
        return new About(
                root.require("case").text(),
                root.find("thread").map(node -> (int) node.number(0, 4)),
                root.require("claim").text().strip(),
                root.find("asked").map(Node::text).orElse("").strip(),
                root.find("confirm").map(Node::text).orElse("").strip(),
                text);
    }

    private interface Named {
        void accept(String name, Node node);
    }

    private void named(String key, Named consumer) {
        root.find(key)
                .map(Node::entries)
                .orElse(new LinkedHashMap<>())
                .forEach((name, entry) -> consumer.accept(name, entry.value()));
    }

    /// All that stands under a key; each name becomes a variable once it is read.
    private <T> SequencedMap<String, T> all(String key, int most, Function<Node, T> reader) {
        SequencedMap<String, T> all = new LinkedHashMap<>();
        root.find(key)
                .map(Node::entries)
                .orElse(new LinkedHashMap<>())
                .forEach((name, entry) -> {
                    if (all.size() == most) {
                        throw root.require(key).error(Kind.TOO_LARGE, "at most %d %s", most, key);
                    }
                    T read = reader.apply(entry.value());
                    declare(name, entry);
                    all.put(name, read);
                });
        return all;
    }

    private void declare(String name, Node.Entry entry) {
        String wrong =
                name.matches("[a-z][A-Za-z0-9]{0,49}")
                        ? variables.add(name) ? "" : "the name '%s' is taken"
                        : "expected a name of letters and digits such as 'exitsBefore',"
                                + " found '%s'";
        if (!wrong.isEmpty()) {
            throw new InputException(
                    Kind.SYNTAX, entry.keyPlace().toString(), wrong.formatted(Node.abridged(name)));
        }
    }

    private Subject subject(Node node) {
        node.allow("a session", List.of("guest", "cpu", "policy", "vcpus", "seed"));
        Node guest = node.require("guest");
        node.find("vcpus").ifPresent(vcpus -> vcpus.number(1, MOST_VCPUS));
        return new Subject(
                node,
                guest,
                Optional.ofNullable(guests.get(guest.text())),
                node.find("cpu"),
                node.find("policy"),
                node.find("vcpus"),
                node.find("seed").map(Node::number).orElse(1L));
    }

    private static Compared compared(Node node, Set<String> sessions) {
        node.allow("a diff", List.of("session", "base", "candidate", "cost"));
        return new Compared(
                node.require("session").oneOf(sessions, "session"),
                node.find("base"),
                node.require("candidate"),
                node.find("cost"));
    }

    private Count count(Node node, Set<String> sessions) {
        return node instanceof Node.Mapping
                ? new Count.Counted(events(node, sessions))
                : new Count.Computed(Formula.number(node, variables));
    }

    private static Events events(Node node, Set<String> sessions) {
        node.allow("events", List.of("session", "type", "where"));
        Set<String> types = new TreeSet<>();
        node.find("type")
                .map(Node::oneOrMore)
                .orElse(List.of())
                .forEach(type -> types.add(type.oneOf(EventQuery.typeNames(), "type of event")));
        return new Events(
                node.require("session").oneOf(sessions, "session"),
                types,
                node.find("where").map(Where::of));
    }

    /// Whatever the counts are, one of them applies.
    private List<Finding> findings(Set<String> counts) {
        List<Finding> findings = new ArrayList<>();
        List<Node> items = root.require("verdict").items();
        for (int i = 0; i < items.size(); i++) {
            Node node = items.get(i);
            boolean last = i == items.size() - 1;
            node.allow("a verdict", List.of("when", "is", "because"));
            if (last == node.find("when").isPresent()) {
                throw node.error(
                        Kind.SYNTAX,
                        last
                                ? "the last verdict is for all other cases and has no 'when'"
                                : "'when' is missing; only the last verdict has none");
            }
            String verdict = node.require("is").oneOf(VERDICTS, "verdict");
            findings.add(
                    new Finding(
                            node.find("when").map(when -> Formula.condition(when, variables)),
                            Verdict.valueOf(verdict.toUpperCase(Locale.ROOT)),
                            Sentence.of(node.require("because"), counts)));
        }
        if (findings.isEmpty()) {
            throw root.require("verdict").error(Kind.SYNTAX, "expected one verdict at least");
        }
        return findings;
    }

    private static Look look(Node node, Set<String> sessions, Set<String> diffs) {
        if (node.find("diff").isEmpty()) {
            return node.find("rule").isEmpty()
                    ? new Look.First(events(node, sessions))
                    : broken(node, sessions);
        }
        node.allow("an event of a diff", List.of("diff", "side", "rule"));
        String diff = node.require("diff").oneOf(diffs, "diff");
        if (node.find("rule").isEmpty()) {
            return new Look.Parting(diff);
        }
        String side = node.find("side").map(n -> n.oneOf(SIDES, "side")).orElse("candidate");
        return new Look.BrokenInDiff(diff, side.equals("candidate"), rule(node));
    }

    private static Look broken(Node node, Set<String> sessions) {
        node.allow("an event that broke a rule", List.of("session", "rule"));
        return new Look.Broken(node.require("session").oneOf(sessions, "session"), rule(node));
    }

    private static String rule(Node node) {
        Node rule = node.require("rule");
        if (!RULES.contains(rule.text())) {
            throw rule.error(
                    Kind.UNKNOWN_NAME,
                    "unknown rule '%s'%s",
                    Node.abridged(rule.text()),
                    Suggestion.orAll(rule.text(), "rules", RULES));
        }
        return rule.text();
    }
}

package trapline.engine.cost;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Node;
import trapline.engine.text.Resources;
import trapline.engine.text.Suggestion;
import trapline.engine.text.Yaml;

/// Cycles per action for one platform, each figure with its source or marked as assumed.
///
/// @param figures by action; `host-rdmsr.exitSave` stands over `host-rdmsr`
public record CostProfile(
        String name, String summary, String unit, SortedMap<String, Figure> figures) {

    /// The actions that every profile must have a figure for.
    public static final List<String> ACTIONS =
            List.of(
                    "exit",
                    "handler",
                    "host-rdmsr",
                    "host-wrmsr",
                    "field-write",
                    "msr-bitmap-write",
                    "userspace",
                    "vcpu-load",
                    "vcpu-put",
                    "vmsave",
                    "vmload",
                    "nested-entry",
                    "nested-exit");

    /// VMREAD. A profile that does not have it takes it for as much as a write.
    private static final String VMREAD = "vmread";

    /// A flush of the return-address predictor at VMRUN. A profile that does not have it takes it for free.
    private static final String RAP_FLUSH = "rap-flush";

    /// Actions that a profile may leave out, each with the one whose figure stands in for it then.
    public static final SortedMap<String, String> STAND_INS =
            Collections.unmodifiableSortedMap(
                    new TreeMap<>(
                            Map.of(
                                    "wrgsbase", "host-wrmsr",
                                    "tr-reload", "host-wrmsr",
                                    "segment-load", "host-wrmsr")));

    /// @param source where it is from; empty if assumed
    public record Figure(Range range, String source, boolean assumed) {}

    public static List<String> builtIn() {
        return Resources.names("costs");
    }

    /// The profile that a user's word means: a built-in name, or a file.
    public static CostProfile find(String name, Function<String, Optional<String>> files) {
        String text =
                (builtIn().contains(name)
                                ? Resources.text("costs/" + name + ".yaml")
                                : files.apply(name))
                        .orElseThrow(() ->
                                new InputException(
                                        Kind.UNKNOWN_NAME,
                                        "",
                                        "unknown cost profile '%s'; built in are %s%s"
                                                .formatted(
                                                        name,
                                                        String.join(", ", builtIn()),
                                                        Suggestion.of(
                                                                name, new TreeSet<>(builtIn())))));
        return parse(text, name);
    }

    public static CostProfile parse(String text, String file) {
        Node root = Yaml.parse(text, file);
        root.allow("a cost profile", List.of("costs", "summary", "unit", "actions"));
        SortedMap<String, Figure> figures = new TreeMap<>();
        root.require("actions")
                .entries()
                .forEach((action, entry) -> figures.put(action, figure(action, entry)));
        for (String action : ACTIONS) {
            if (!figures.containsKey(action)) {
                throw root.require("actions").error(Kind.SYNTAX, "'%s' is missing", action);
            }
        }
        return new CostProfile(
                root.require("costs").text(),
                root.find("summary").map(Node::text).orElse(""),
                root.find("unit").map(Node::text).orElse("cycles"),
                Collections.unmodifiableSortedMap(figures));
    }

    private static Figure figure(String action, Node.Entry entry) {
        Node node = entry.value();
        int dot = action.indexOf('.');
        String group = dot < 0 ? action : action.substring(0, dot);
        if (!ACTIONS.contains(group)
                && !action.equals(VMREAD)
                && !action.equals(RAP_FLUSH)
                && !STAND_INS.containsKey(group)) {
            throw new InputException(
                    Kind.UNKNOWN_NAME,
                    entry.keyPlace().toString(),
                    "unknown action '%s'%s".formatted(action, Suggestion.of(group, known())));
        }
        node.allow("a figure", List.of("range", "source", "assumed"));
        List<Node> range = node.require("range").items();
        if (range.size() != 3) {
            throw node.require("range").error(Kind.SYNTAX, "expected [LOW, TYPICAL, HIGH]");
        }
        Range cycles = new Range(cycles(range.get(0)), cycles(range.get(1)), cycles(range.get(2)));
        if (cycles.low() > cycles.typical() || cycles.typical() > cycles.high()) {
            throw node.require("range")
                    .error(Kind.SYNTAX, "expected LOW, TYPICAL and HIGH in ascending order");
        }
        boolean assumed = node.find("assumed").map(Node::bool).orElse(false);
        String source = node.find("source").map(Node::text).orElse("");
        if (source.isEmpty() && !assumed) {
            throw node.error(Kind.SYNTAX, "a figure has a source, or is marked 'assumed: true'");
        }
        return new Figure(cycles, source, assumed);
    }

    private static List<String> known() {
        List<String> known = new ArrayList<>(ACTIONS);
        known.addAll(STAND_INS.keySet());
        return known;
    }

    private static double cycles(Node node) {
        return node.number(0, 1_000_000_000);
    }

    /// The key of the figure that stands for an action in its circumstances, the closest one first.
    public String keyOf(String action, String... circumstances) {
        for (String circumstance : circumstances) {
            String key = action + "." + circumstance;
            if (figures.containsKey(key)) {
                return key;
            }
        }
        return figures.containsKey(action) ? action : STAND_INS.get(action);
    }

    /// The key of the figure that stands for reading a field of a control structure.
    public String vmread() {
        return figures.containsKey(VMREAD) ? VMREAD : "field-write";
    }

    /// The key of the figure for a flush of the return-address predictor, where there is one.
    public Optional<String> keyOfRapFlush() {
        return figures.containsKey(RAP_FLUSH) ? Optional.of(RAP_FLUSH) : Optional.empty();
    }

    public Figure figure(String key) {
        return figures.get(key);
    }

    /// The profile as a file that reads back as the same.
    public String text() {
        StringBuilder text = new StringBuilder();
        text.append("costs: ").append(quoted(name)).append('\n');
        text.append("summary: ").append(quoted(summary)).append('\n');
        text.append("unit: ").append(quoted(unit)).append('\n');
        text.append("actions:\n");
        figures.forEach((action, figure) -> {
            text.append("  ").append(action).append(":\n    range: [");
            text.append(number(figure.range().low())).append(", ");
            text.append(number(figure.range().typical())).append(", ");
            text.append(number(figure.range().high())).append("]\n");
            if (!figure.source().isEmpty()) {
                text.append("    source: ").append(quoted(figure.source())).append('\n');
            }
            if (figure.assumed()) {
                text.append("    assumed: true\n");
            }
        });
        return text.toString();
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    /// Files have whole cycles.
    private static String number(double cycles) {
        return Long.toString(Math.round(cycles));
    }
}

package trapline.engine.text;

import java.util.Map;
import java.util.regex.Pattern;
import trapline.engine.text.Node.Entry;
import trapline.engine.text.Node.Mapping;
import trapline.engine.text.Node.Scalar;
import trapline.engine.text.Node.Sequence;

/// Prints a node as YAML that reads back as the same: one form for one content.
public final class YamlPrinter {

    private static final Pattern PLAIN =
            Pattern.compile(
                    "[A-Za-z0-9_./+-][A-Za-z0-9 _./+()!=&|<>*-]*[A-Za-z0-9_./+)]|[A-Za-z0-9]");

    private final StringBuilder out = new StringBuilder();

    private YamlPrinter() {}

    public static String print(Node node) {
        YamlPrinter printer = new YamlPrinter();
        printer.block(node, 0);
        return printer.out.toString();
    }

    private void block(Node node, int indent) {
        switch (node) {
            case Mapping m -> {
                for (Map.Entry<String, Entry> entry : m.entries().entrySet()) {
                    out.repeat(' ', indent).append(scalar(entry.getKey())).append(':');
                    value(entry.getValue().value(), indent);
                }
            }
            case Sequence s -> {
                for (Node item : s.items()) {
                    out.repeat(' ', indent).append("- ").append(flow(item)).append('\n');
                }
            }
            case Scalar s -> out.append(scalar(s.text())).append('\n');
        }
    }

    private void value(Node node, int indent) {
        switch (node) {
            case Mapping m when !m.entries().isEmpty() -> {
                out.append('\n');
                block(m, indent + 2);
            }
            case Sequence s when s.items().stream().anyMatch(Mapping.class::isInstance) -> {
                out.append('\n');
                block(s, indent + 2);
            }
            default -> out.append(' ').append(flow(node)).append('\n');
        }
    }

    private static String flow(Node node) {
        return switch (node) {
            case Scalar s -> scalar(s.text());
            case Sequence s -> {
                StringBuilder text = new StringBuilder("[");
                for (Node item : s.items()) {
                    text.append(text.length() == 1 ? "" : ", ").append(flow(item));
                }
                yield text.append(']').toString();
            }
            case Mapping m -> {
                StringBuilder text = new StringBuilder("{");
                m.entries()
                        .forEach((key, entry) ->
                                text.append(text.length() == 1 ? "" : ", ")
                                        .append(scalar(key))
                                        .append(": ")
                                        .append(flow(entry.value())));
                yield text.append('}').toString();
            }
        };
    }

    private static String scalar(String text) {
        return PLAIN.matcher(text).matches() && !text.contains(" #") && !text.contains(": ")
                ? text
                : '\'' + text.replace("'", "''").replace("\n", " ") + '\'';
    }
}

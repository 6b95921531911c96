package trapline.engine.policy;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import trapline.engine.text.Node;
import trapline.engine.text.Yaml;

/// A resolved policy as flat fields: paths of keys to texts, a list being one text.
public final class PolicyFields {

    /// What a policy says of itself rather than of the hypervisor.
    private static final List<String> ABOUT = List.of("policy", "summary", "source", "chosen");

    private PolicyFields() {}

    /// A field in which two policies differ; empty where one lacks it.
    public record Difference(String field, String base, String candidate) {}

    public static SortedMap<String, String> of(Policy.Identity policy) {
        SortedMap<String, String> fields = new TreeMap<>();
        flatten("", Yaml.parse(policy.text(), policy.expression()), fields);
        return fields;
    }

    public static List<Difference> differences(Policy.Identity base, Policy.Identity candidate) {
        SortedMap<String, String> before = of(base);
        SortedMap<String, String> after = of(candidate);
        TreeSet<String> names = new TreeSet<>(before.keySet());
        names.addAll(after.keySet());
        ABOUT.forEach(names::remove);
        return names.stream()
                .map(name ->
                        new Difference(
                                name, before.getOrDefault(name, ""), after.getOrDefault(name, "")))
                .filter(difference -> !difference.base().equals(difference.candidate()))
                .toList();
    }

    private static void flatten(String path, Node node, SortedMap<String, String> into) {
        switch (node) {
            case Node.Mapping m ->
                    m.entries()
                            .forEach((key, entry) ->
                                    flatten(
                                            path.isEmpty() ? key : path + "." + key,
                                            entry.value(),
                                            into));
            case Node.Sequence s -> into.put(path, list(s));
            case Node.Scalar s -> into.put(path, s.text());
        }
    }

    private static String list(Node.Sequence sequence) {
        List<String> texts = new ArrayList<>();
        for (Node item : sequence.items()) {
            texts.add(
                    item instanceof Node.Mapping m
                            ? String.join(
                                    ":",
                                    m.entries().sequencedValues().stream()
                                            .map(e -> e.value().text())
                                            .toList())
                            : item.text());
        }
        return String.join(" ", texts);
    }
}

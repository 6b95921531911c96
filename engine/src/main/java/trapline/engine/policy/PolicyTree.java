package trapline.engine.policy;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Node;
import trapline.engine.text.Node.Entry;
import trapline.engine.text.Node.Mapping;
import trapline.engine.text.Node.Scalar;
import trapline.engine.text.Node.Sequence;

/// One policy laid over another: keys of the upper one replace those below, mappings key by key.
///
/// A mapping where a phase has its list changes that list ([StepEdits]).
final class PolicyTree {

    private PolicyTree() {}

    static Mapping over(Mapping lower, Mapping upper) {
        return over(lower, upper, "");
    }

    private static Mapping over(Mapping lower, Mapping upper, String path) {
        SequencedMap<String, Entry> merged = new LinkedHashMap<>(lower.entries());
        for (Map.Entry<String, Entry> entry : upper.entries().entrySet()) {
            Entry below = merged.get(entry.getKey());
            Node above = entry.getValue().value();
            String key = path + "/" + entry.getKey();
            if (below != null && below.value() instanceof Mapping l && above instanceof Mapping u) {
                merged.put(entry.getKey(), new Entry(entry.getValue().keyPlace(), over(l, u, key)));
            } else if (below != null
                    && below.value() instanceof Sequence phase
                    && above instanceof Mapping edits
                    && key.startsWith("/phases/")) {
                Sequence steps = StepEdits.apply(phase, edits);
                merged.put(entry.getKey(), new Entry(entry.getValue().keyPlace(), steps));
            } else {
                merged.put(entry.getKey(), entry.getValue());
            }
        }
        return new Mapping(upper.place(), merged);
    }

    static Mapping without(Mapping mapping, String... keys) {
        SequencedMap<String, Entry> kept = new LinkedHashMap<>(mapping.entries());
        for (String key : keys) {
            kept.remove(key);
        }
        return new Mapping(mapping.place(), kept);
    }

    static Mapping with(Mapping mapping, String key, String text) {
        SequencedMap<String, Entry> entries = new LinkedHashMap<>();
        entries.put(key, new Entry(mapping.place(), new Scalar(mapping.place(), text, true)));
        entries.putAll(without(mapping, key).entries());
        return new Mapping(mapping.place(), entries);
    }

    static Mapping withList(Mapping mapping, String key, List<String> texts) {
        SequencedMap<String, Entry> entries = new LinkedHashMap<>(mapping.entries());
        List<Node> items = new ArrayList<>();
        texts.forEach(text -> items.add(new Scalar(mapping.place(), text, true)));
        entries.put(key, new Entry(mapping.place(), new Sequence(mapping.place(), items)));
        return new Mapping(mapping.place(), entries);
    }

    /// The pass-through lists of both vendors, changed by one function.
    static Mapping passThrough(Mapping policy, PassThroughChange change) {
        Mapping lists = (Mapping) policy.require("pass-through");
        SequencedMap<String, Entry> changed = new LinkedHashMap<>();
        for (Map.Entry<String, Entry> vendor : lists.entries().entrySet()) {
            List<Node> items = new ArrayList<>(vendor.getValue().value().items());
            Sequence list = new Sequence(lists.place(), change.apply(items));
            changed.put(vendor.getKey(), new Entry(vendor.getValue().keyPlace(), list));
        }
        SequencedMap<String, Entry> entries = new LinkedHashMap<>(policy.entries());
        entries.put("pass-through", new Entry(lists.place(), new Mapping(lists.place(), changed)));
        return new Mapping(policy.place(), entries);
    }

    interface PassThroughChange {
        List<Node> apply(List<Node> accesses);
    }

    /// `{msr: NAME, access: rw}` at a place.
    static Node access(Node at, String msr, String access) {
        SequencedMap<String, Entry> entries = new LinkedHashMap<>();
        entries.put("msr", new Entry(at.place(), new Scalar(at.place(), msr, true)));
        entries.put("access", new Entry(at.place(), new Scalar(at.place(), access, true)));
        return new Mapping(at.place(), entries);
    }

    static Mapping mapping(Node node) {
        if (node instanceof Mapping m) {
            return m;
        }
        throw node.error(Kind.SYNTAX, "a policy is a mapping of keys to values");
    }
}

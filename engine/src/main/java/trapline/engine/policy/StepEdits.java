package trapline.engine.policy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Node;
import trapline.engine.text.Node.Entry;
import trapline.engine.text.Node.Mapping;
import trapline.engine.text.Node.Scalar;
import trapline.engine.text.Node.Sequence;

/// A phase's list of steps, changed rather than replaced, so that steps of other mechanisms stay where they are.
///
/// `{remove: [STEP…], first: [STEP…], before: {STEP: [STEP…]}, after: {STEP: [STEP…]}, last: [STEP…]}`: in this order,
/// whatever order the file has; what is to be removed need not be there.
final class StepEdits {

    private static final TreeSet<String> KNOWN =
            new TreeSet<>(Arrays.stream(Step.values()).map(Step::text).toList());

    private StepEdits() {}

    static Sequence apply(Sequence phase, Mapping edits) {
        edits.allow("a change of a phase", List.of("remove", "first", "before", "after", "last"));
        List<Node> steps = new ArrayList<>(phase.items());
        List<String> removed = names(edits, "remove").stream().map(Node::text).toList();
        steps.removeIf(step -> removed.contains(step.text()));
        steps.addAll(0, names(edits, "first"));
        around(steps, edits, "before", 0);
        around(steps, edits, "after", 1);
        steps.addAll(names(edits, "last"));
        return new Sequence(edits.place(), List.copyOf(steps));
    }

    private static void around(List<Node> steps, Mapping edits, String key, int offset) {
        Map<String, Entry> anchors =
                edits.find(key)
                        .<Map<String, Entry>>map(Node::entries)
                        .orElse(new LinkedHashMap<>());
        for (Map.Entry<String, Entry> entry : anchors.entrySet()) {
            Scalar anchor = new Scalar(entry.getValue().keyPlace(), entry.getKey(), true);
            anchor.oneOf(KNOWN, "step");
            int at = steps.stream().map(Node::text).toList().indexOf(anchor.text());
            if (at < 0) {
                throw anchor.error(
                        Kind.UNKNOWN_NAME, "the phase has no step '%s' here", anchor.text());
            }
            steps.addAll(at + offset, checked(entry.getValue().value()));
        }
    }

    private static List<Node> names(Mapping edits, String key) {
        return edits.find(key).map(StepEdits::checked).orElse(List.of());
    }

    private static List<Node> checked(Node list) {
        list.items().forEach(item -> item.oneOf(KNOWN, "step"));
        return list.items();
    }
}

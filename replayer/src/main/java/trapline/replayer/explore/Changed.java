package trapline.replayer.explore;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import trapline.replayer.StateView;

/// What differs between two states of a vCPU, by path: `vmcs.01.GUEST_RIP`, and
/// `intercepts.01.passedThrough.IA32_SPEC_CTRL`.
///
/// Where the vCPU stands is no difference, nor is the digest, which has all of the machine in it, nor when a trace showed
/// what.
final class Changed {

    private static final Set<String> PLACE =
            Set.of("session", "vcpu", "seq", "order", "tick", "op", "digest", "seenAt");

    private Changed() {}

    static List<Object> of(Map<String, Object> before, Map<String, Object> after) {
        List<Object> rows = new ArrayList<>();
        StateView.difference(comparable(before), comparable(after))
                .forEach((path, values) -> {
                    SequencedMap<String, Object> row = new LinkedHashMap<>();
                    row.put("path", path);
                    row.put("old", values.getFirst());
                    row.put("new", values.getLast());
                    rows.add(row);
                });
        return rows;
    }

    private static SequencedMap<String, Object> comparable(Map<String, Object> state) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>(state);
        PLACE.forEach(tree::remove);
        tree.computeIfPresent("intercepts", (_, value) -> byName((Map<?, ?>) value));
        return tree;
    }

    /// Lists of MSRs as maps by their names, so that one of them can differ.
    private static Object byName(Map<?, ?> tree) {
        SequencedMap<Object, Object> named = new LinkedHashMap<>();
        tree.forEach((key, value) -> {
            switch (value) {
                case Map<?, ?> map -> named.put(key, byName(map));
                case List<?> rows -> named.put(key, byMsr(rows));
                default -> named.put(key, value);
            }
        });
        return named;
    }

    private static SequencedMap<Object, Object> byMsr(List<?> rows) {
        SequencedMap<Object, Object> named = new LinkedHashMap<>();
        for (Object row : rows) {
            SequencedMap<Object, Object> access = new LinkedHashMap<>((Map<?, ?>) row);
            named.put(access.remove("msr"), access);
        }
        return named;
    }
}

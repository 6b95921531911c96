package trapline.replayer.parting;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import trapline.engine.event.Envelope;
import trapline.engine.event.Reg;
import trapline.engine.table.Layout;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Suggestion;
import trapline.replayer.EventFields;
import trapline.replayer.EventQuery;

/// What may differ between two events that count as the same: fields by name, and events of whole types.
///
/// A name stands for the fields that end in it, too: `rip` for `GUEST_RIP`, and for what is written to that.
public final class Ignored {

    private static final String TYPE = "type:";

    /// What of an event's place is compared; order, sequence number and cause follow from the events.
    private static final List<String> PLACE = List.of("tick", "op", "pcpu", "scope");

    private final Set<String> fields = new TreeSet<>();
    private final Set<String> types = new TreeSet<>();

    private Ignored() {}

    /// @param rules names of fields, or `type:` and an event's
    public static Ignored of(Collection<String> rules) {
        Ignored ignored = new Ignored();
        for (String rule : rules) {
            if (rule.startsWith(TYPE)) {
                ignored.types.add(known(rule.substring(TYPE.length()), "type of event", types()));
            } else {
                ignored.fields.add(known(rule, "field", fields()).toLowerCase(Locale.ROOT));
            }
        }
        return ignored;
    }

    private static String known(String name, String what, Set<String> names) {
        boolean found =
                names.contains(name)
                        || (what.equals("field") && names.stream().anyMatch(n -> covers(name, n)));
        if (!found) {
            throw new InputException(
                    Kind.UNKNOWN_NAME,
                    "--ignore",
                    "unknown %s '%s'%s".formatted(what, name, Suggestion.of(name, names)));
        }
        return name;
    }

    private static Set<String> types() {
        Set<String> names = new TreeSet<>(EventQuery.typeNames());
        names.removeIf(name -> name.endsWith("Event"));
        return names;
    }

    private static Set<String> fields() {
        Set<String> names = new TreeSet<>(EventFields.names());
        names.addAll(PLACE);
        for (int i = 0; i < Reg.COUNT; i++) {
            names.add(Reg.name(i));
        }
        Layout.VMCS.fields().forEach(field -> names.add(field.name()));
        Layout.VMCB.fields().forEach(field -> names.add(field.name()));
        return names;
    }

    private static boolean covers(String rule, String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        String wish = rule.toLowerCase(Locale.ROOT);
        return lower.equals(wish) || lower.endsWith("_" + wish);
    }

    /// Whether no one asks for this event at all.
    boolean drops(Envelope envelope) {
        return !types.isEmpty() && types.contains(envelope.event().name());
    }

    /// The names of what differs and may not; empty where the events count as the same.
    List<String> differences(
            Envelope base, EventFields ofBase, Envelope candidate, EventFields ofCandidate) {
        if (same(base, candidate)) {
            return List.of();
        }
        Map<String, Object> before = comparable(ofBase.row(base));
        Map<String, Object> after = comparable(ofCandidate.row(candidate));
        Set<String> names = new TreeSet<>(before.keySet());
        names.addAll(after.keySet());
        List<String> different = new ArrayList<>();
        for (String name : names) {
            if (!before.containsKey(name)
                    || !after.containsKey(name)
                    || !before.get(name).equals(after.get(name))) {
                different.add(name);
            }
        }
        return different.contains("type") ? List.of("type") : different;
    }

    /// The quick way, without names.
    private static boolean same(Envelope base, Envelope candidate) {
        return base.stamp().tick() == candidate.stamp().tick()
                && base.stamp().op() == candidate.stamp().op()
                && base.stamp().pcpu() == candidate.stamp().pcpu()
                && base.stamp().scope() == candidate.stamp().scope()
                && base.event().equals(candidate.event());
    }

    /// An event's place, type and fields, one level deep, without what is ignored.
    private Map<String, Object> comparable(Map<String, Object> row) {
        Map<String, Object> flat = new LinkedHashMap<>();
        flat.put("type", row.get("type"));
        PLACE.forEach(name -> put(name, row.get(name), flat));
        Map<?, ?> event = (Map<?, ?>) row.get("event");
        boolean valueIgnored = event.get("field") instanceof String field && ignores(field);
        event.forEach((key, value) -> {
            String name = (String) key;
            if (!valueIgnored || !(name.equals("value") || name.equals("old"))) {
                put(name, value, flat);
            }
        });
        return flat;
    }

    private void put(String name, Object value, Map<String, Object> flat) {
        if (ignores(name)) {
            return;
        }
        if (value instanceof Map<?, ?> nested) {
            nested.forEach((key, inner) -> {
                if (!ignores((String) key)) {
                    flat.put(name + "." + key, inner);
                }
            });
        } else {
            flat.put(name, value);
        }
    }

    private boolean ignores(String name) {
        return fields.stream().anyMatch(rule -> covers(rule, name));
    }
}

package trapline.replayer;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Collectors;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;
import trapline.engine.state.Vendor;
import trapline.engine.table.ExitReasons;
import trapline.engine.table.Msrs;
import trapline.replayer.EventFields.Hex;

/// What a tracepoint told, field by field: numbers as numbers, values as such, and by its name what has one.
final class ObservedFields {

    /// KVM's `isa`.
    private static final long SVM = 2;

    private static final Set<String> FLAGS =
            Set.of(
                    "immediateExit",
                    "write",
                    "fault",
                    "found",
                    "usedMaxBasic",
                    "soft",
                    "reinjected",
                    "hasError",
                    "npt",
                    "tdpEnabled",
                    "waited",
                    "valid",
                    "grow",
                    "load",
                    "failed",
                    "entering",
                    "set");

    private static final Set<String> NUMBERS =
            Set.of(
                    "vcpu",
                    "cr",
                    "size",
                    "count",
                    "len",
                    "errno",
                    "ns",
                    "new",
                    "old",
                    "gsi",
                    "level",
                    "irqSourceId",
                    "irqchip",
                    "pin",
                    "delta",
                    "asid",
                    "type",
                    "err");

    private ObservedFields() {}

    static SequencedMap<String, Object> of(TracepointHit hit) {
        SequencedMap<String, Object> values = new LinkedHashMap<>();
        TraceFields fields = hit.fields();
        List<String> names = hit.point().fields();
        for (int i = 0; i < names.size(); i++) {
            if (fields.has(i)) {
                values.put(names.get(i), value(hit, names.get(i), fields.value(i, 0)));
            }
        }
        if (!fields.text().isEmpty()) {
            values.put("text", fields.text());
        }
        return values;
    }

    /// Every field of every tracepoint.
    static Set<String> names() {
        Set<String> names =
                List.of(Tracepoint.values()).stream()
                        .flatMap(point -> point.fields().stream())
                        .collect(Collectors.toCollection(LinkedHashSet::new));
        names.add("text");
        return names;
    }

    private static Object value(TracepointHit hit, String name, long value) {
        if (FLAGS.contains(name)) {
            return value != 0;
        }
        if (NUMBERS.contains(name)) {
            return value;
        }
        return switch (name) {
            case "msr" -> Msrs.name((int) value);
            case "isa" -> value == SVM ? "svm" : value == 1 ? "vmx" : Long.toString(value);
            case "reason" -> reason(hit, value);
            default -> new Hex(value);
        };
    }

    private static Object reason(TracepointHit hit, long value) {
        return switch (hit.point()) {
            case KVM_USERSPACE_EXIT -> ExitReasons.userspace((int) value);
            case KVM_APICV_INHIBIT_CHANGED -> value;
            default -> Names.exit(vendor(hit), value);
        };
    }

    /// Whose exit reasons it has.
    static Vendor vendor(TracepointHit hit) {
        long isa = hit.fields().value(hit.point().field("isa"), 0);
        boolean svm =
                isa == SVM
                        || hit.point() == Tracepoint.KVM_VMGEXIT_ENTER
                        || hit.point() == Tracepoint.KVM_VMGEXIT_EXIT;
        return svm ? Vendor.SVM : Vendor.VMX;
    }
}

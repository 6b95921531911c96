package trapline.replayer.explore;

import java.util.List;
import java.util.OptionalInt;
import trapline.engine.event.Event;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmEntryFailed;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Tracepoint;
import trapline.engine.state.Vendor;
import trapline.engine.table.Field;
import trapline.engine.table.Msrs;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Suggestion;
import trapline.replayer.Session;
import trapline.replayer.Where;

/// What one can look for, as it is written: `event`, `exit`, `entry`, `field:NAME`, `msr:NAME`, `intercept:NAME`,
/// `where:CEL`.
final class Targets {

    private static final List<String> NAMES =
            List.of("event", "exit", "entry", "field:", "msr:", "intercept:", "where:");

    private Targets() {}

    static Wanted of(String text, Session session) {
        int colon = text.indexOf(':');
        String kind = colon < 0 ? text : text.substring(0, colon + 1);
        String rest = text.substring(colon + 1);
        return switch (kind) {
            case "event" -> (_, _) -> true;
            case "exit" -> (event, _) -> isExit(event.event());
            case "entry" -> (event, _) -> isEntry(event.event());
            case "field:" -> new FieldWrite(field(rest, session));
            case "msr:" -> new MsrWrite(msr(rest), !session.imported());
            case "intercept:" -> intercept(msr(rest));
            case "where:" -> where(rest, session.vendor());
            default ->
                    throw new InputException(
                            Kind.UNKNOWN_NAME,
                            "to",
                            "expected one of %s, found '%s'"
                                    .formatted(String.join(", ", NAMES), text));
        };
    }

    static boolean isExit(Event event) {
        return event instanceof VmExited
                || (event instanceof TracepointHit hit && hit.point() == Tracepoint.KVM_EXIT);
    }

    /// One that fails is one, too.
    private static boolean isEntry(Event event) {
        return event instanceof VmEntered
                || event instanceof VmEntryFailed
                || (event instanceof TracepointHit hit && hit.point() == Tracepoint.KVM_ENTRY);
    }

    private static Wanted intercept(int msr) {
        return (event, _) ->
                event.event() instanceof MsrInterceptChanged changed && changed.msr() == msr;
    }

    private static Wanted where(String source, Vendor vendor) {
        Where where = Where.of(source);
        return (event, _) -> where.holds(vendor, event);
    }

    private static Field field(String name, Session session) {
        if (session.imported()) {
            throw new InputException(
                    Kind.NOT_APPLICABLE,
                    "to",
                    "session %s is an imported trace, which shows no fields"
                            .formatted(session.name()));
        }
        List<Field> fields = session.vendor().layout().fields();
        return fields.stream()
                .filter(field -> field.name().equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new InputException(
                                Kind.UNKNOWN_NAME,
                                "to",
                                "no field '%s' in this session's structures%s"
                                        .formatted(
                                                name,
                                                Suggestion.of(
                                                        name,
                                                        fields.stream()
                                                                .map(Field::name)
                                                                .toList()))));
    }

    private static int msr(String name) {
        OptionalInt msr = Msrs.parse(name);
        return msr.orElseThrow(() ->
                new InputException(
                        Kind.UNKNOWN_NAME,
                        "to",
                        "no MSR '%s'%s".formatted(name, Suggestion.of(name, Msrs.names()))));
    }
}

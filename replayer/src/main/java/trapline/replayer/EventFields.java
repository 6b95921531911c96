package trapline.replayer;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.HypervisorEvent.UserspaceExited;
import trapline.engine.event.MsrFilter;
import trapline.engine.event.MsrFilterRange;
import trapline.engine.event.MsrValues;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Reg;
import trapline.engine.event.Stamp;
import trapline.engine.event.Tracepoint;
import trapline.engine.event.Writes;
import trapline.engine.state.Vendor;
import trapline.engine.table.ExitReasons;
import trapline.engine.table.Msrs;

/// An event's fields by name, as exports and conditions see them.
///
/// Counts and numbers of things are numbers, 64-bit values are marked as such, and what the manuals name
/// has its name.
public final class EventFields {

    private static final Set<String> NUMBERS =
            Set.of(
                    "count",
                    "time",
                    "thread",
                    "process",
                    "vcpu",
                    "level",
                    "pcpu",
                    "size",
                    "cr",
                    "dr",
                    "xcr",
                    "type",
                    "vmcs",
                    "vmcb",
                    "bitmap",
                    "subleaf",
                    "predicted",
                    "mispredicted",
                    "foreignLevel",
                    "foreignVcpu",
                    "empty",
                    "entries");

    /// What [#row] says of an event besides its fields, in order.
    public static final List<String> PLACE =
            List.of("order", "vcpu", "seq", "pcpu", "scope", "tick", "op", "cause", "type");

    private static final Map<Class<?>, List<RecordComponent>> COMPONENTS =
            new ConcurrentHashMap<>();

    private final Vendor vendor;

    public EventFields(Vendor vendor) {
        this.vendor = vendor;
    }

    /// A value of up to 64 bits, unsigned: JSON spells it `"0x…"`.
    public record Hex(long value) {
        @Override
        public String toString() {
            return Names.hex(value);
        }
    }

    /// The fields that there are, over all events.
    public static Set<String> names() {
        Set<String> names = new TreeSet<>();
        for (Class<?> kind : Event.class.getPermittedSubclasses()) {
            for (Class<?> event : kind.getPermittedSubclasses()) {
                components(event).forEach(component -> names.add(component.getName()));
            }
        }
        names.remove("fields");
        names.addAll(ObservedFields.names());
        return names;
    }

    /// The fields of these events, each once, in the order in which they are declared.
    public static SequencedSet<String> names(Collection<Class<?>> events) {
        SequencedSet<String> names = new LinkedHashSet<>();
        for (Class<?> event : events) {
            for (RecordComponent component : components(event)) {
                if (event == TracepointHit.class && component.getName().equals("fields")) {
                    names.addAll(ObservedFields.names());
                } else {
                    names.add(component.getName());
                }
            }
        }
        return names;
    }

    /// Place, type and fields of one event.
    public SequencedMap<String, Object> row(Envelope envelope) {
        SequencedMap<String, Object> row = new LinkedHashMap<>();
        Stamp stamp = envelope.stamp();
        row.put("order", stamp.order());
        row.put("vcpu", stamp.vcpu());
        row.put("seq", stamp.seq());
        row.put("pcpu", stamp.pcpu());
        row.put("scope", Names.camel(stamp.scope().name()));
        row.put("tick", stamp.tick());
        row.put("op", stamp.op());
        row.put("cause", stamp.cause());
        row.put("type", envelope.event().name());
        row.put("event", of(envelope.event()));
        return row;
    }

    /// The fields of an event.
    public SequencedMap<String, Object> of(Event event) {
        SequencedMap<String, Object> fields = new LinkedHashMap<>();
        for (RecordComponent component : components(event.getClass())) {
            if (event instanceof TracepointHit hit && component.getName().equals("fields")) {
                fields.putAll(ObservedFields.of(hit));
            } else {
                fields.put(component.getName(), value(event, component));
            }
        }
        return fields;
    }

    private static List<RecordComponent> components(Class<?> type) {
        return COMPONENTS.computeIfAbsent(type, t -> List.of(t.getRecordComponents()));
    }

    private Object value(Event event, RecordComponent component) {
        Object raw;
        try {
            raw = component.getAccessor().invoke(event);
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new IllegalStateException(e);
        }
        String name = component.getName();
        return switch (raw) {
            case Writes writes -> writes(writes);
            case MsrFilter filter -> filter(filter);
            case MsrValues values -> msrValues(values);
            case Tracepoint point -> point.text();
            case Enum<?> constant -> Names.camel(constant.name());
            case Boolean flag -> flag;
            case String text -> text;
            case Integer number -> number(event, name, number);
            case Long number -> number(name, number);
            default -> throw new IllegalStateException(name + " of " + event.name());
        };
    }

    private Object number(Event event, String name, int number) {
        if (event instanceof UserspaceExited) {
            return ExitReasons.userspace(number);
        }
        return switch (name) {
            case "msr" -> Msrs.name(number);
            case "field" -> vendor.layout().name(number);
            default ->
                    NUMBERS.contains(name)
                            ? (Object) (long) number
                            : new Hex(Integer.toUnsignedLong(number));
        };
    }

    private Object number(String name, long number) {
        if (name.equals("reason")) {
            return Names.exit(vendor, number);
        }
        return NUMBERS.contains(name) ? (Object) number : new Hex(number);
    }

    static SequencedMap<String, Object> filter(MsrFilter filter) {
        SequencedMap<String, Object> fields = new LinkedHashMap<>();
        fields.put("default", filter.deniesByDefault() ? "deny" : "allow");
        fields.put("ranges", filter.ranges().stream().map(EventFields::range).toList());
        return fields;
    }

    private static SequencedMap<String, Object> range(MsrFilterRange range) {
        SequencedMap<String, Object> fields = new LinkedHashMap<>();
        fields.put("base", Msrs.name(range.base()));
        fields.put("count", (long) range.count());
        fields.put("access", access(range));
        fields.put("msrs", msrs(range));
        return fields;
    }

    static String access(MsrFilterRange range) {
        return (range.read() ? "r" : "") + (range.write() ? "w" : "");
    }

    /// Which of a range are denied, runs of them as one: `-FS_BASE..KERNEL_GS_BASE +TSC_AUX`.
    static String msrs(MsrFilterRange range) {
        StringBuilder text = new StringBuilder();
        int run = 0;
        for (int at = 1; at <= range.count(); at++) {
            boolean ends =
                    at == range.count()
                            || range.allows(range.base() + at) != range.allows(range.base() + run);
            if (ends) {
                text.append(text.isEmpty() ? "" : " ")
                        .append(range.allows(range.base() + run) ? '+' : '-')
                        .append(Msrs.name(range.base() + run));
                if (at - run > 1) {
                    text.append("..").append(Msrs.name(range.base() + at - 1));
                }
                run = at;
            }
        }
        return text.toString();
    }

    private SequencedMap<String, Object> writes(Writes writes) {
        SequencedMap<String, Object> byPlace = new LinkedHashMap<>();
        for (int i = 0; i < writes.size(); i++) {
            int place = writes.place(i);
            byPlace.put(
                    place < 0 ? Reg.name(~place) : vendor.layout().name(place),
                    new Hex(writes.value(i)));
        }
        return byPlace;
    }

    private static SequencedMap<String, Object> msrValues(MsrValues values) {
        SequencedMap<String, Object> byName = new LinkedHashMap<>();
        for (int i = 0; i < values.size(); i++) {
            byName.put(Msrs.name(values.msr(i)), new Hex(values.value(i)));
        }
        return byName;
    }
}

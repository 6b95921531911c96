package trapline.replayer.explore;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.HardwareEvent;
import trapline.engine.event.HypervisorEvent;
import trapline.engine.event.InputEvent;
import trapline.engine.event.ObservedEvent;
import trapline.engine.event.Stamp;
import trapline.engine.state.Vendor;
import trapline.replayer.Describe;
import trapline.replayer.EventFields;
import trapline.replayer.Names;

/// One event as the tree that JSON has: its place, kind and fields, and a line of words.
final class EventTree {

    private final EventFields fields;
    private final Describe describe;

    EventTree(Vendor vendor) {
        fields = new EventFields(vendor);
        describe = new Describe(vendor);
    }

    SequencedMap<String, Object> of(Envelope envelope) {
        Stamp stamp = envelope.stamp();
        SequencedMap<String, Object> tree = place(stamp);
        tree.put("cause", stamp.cause());
        tree.put("scope", Names.camel(stamp.scope().name()));
        tree.put("type", envelope.event().name());
        tree.put("kind", kind(envelope.event()));
        tree.put("text", describe.event(envelope.event()).strip());
        tree.put("fields", fields.of(envelope.event()));
        return tree;
    }

    List<Object> of(List<Envelope> envelopes) {
        return envelopes.stream().<Object>map(this::of).toList();
    }

    /// Where an event is.
    static SequencedMap<String, Object> place(Stamp stamp) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("order", stamp.order());
        tree.put("vcpu", stamp.vcpu());
        tree.put("seq", stamp.seq());
        tree.put("tick", stamp.tick());
        tree.put("op", stamp.op());
        tree.put("pcpu", stamp.pcpu());
        return tree;
    }

    private static String kind(Event event) {
        return switch (event) {
            case GuestEvent _ -> "guest";
            case InputEvent _ -> "input";
            case HardwareEvent _ -> "hardware";
            case HypervisorEvent _ -> "hypervisor";
            case ObservedEvent _ -> "observed";
        };
    }
}

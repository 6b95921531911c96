package trapline.replayer;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.HardwareEvent;
import trapline.engine.event.HypervisorEvent;
import trapline.engine.event.InputEvent;
import trapline.engine.event.ObservedEvent;
import trapline.engine.text.InputException;
import trapline.engine.text.Suggestion;
import trapline.schemas.CheckpointRef;

/// The events of a session that somebody asks for.
///
/// @param from the first order number, 1 for the beginning
/// @param to the last order number
/// @param types names of events or of kinds; empty for all
public record EventQuery(
        long from, long to, Optional<Integer> vcpu, Set<String> types, Optional<Where> where) {

    private static final List<Class<? extends Event>> KINDS =
            List.of(
                    GuestEvent.class,
                    InputEvent.class,
                    HardwareEvent.class,
                    HypervisorEvent.class,
                    ObservedEvent.class);

    /// Every event.
    public static final EventQuery ALL =
            new EventQuery(1, Long.MAX_VALUE, Optional.empty(), Set.of(), Optional.empty());

    public EventQuery {
        for (String type : types) {
            if (!typeNames().contains(type)) {
                throw new InputException(
                        InputException.Kind.UNKNOWN_NAME,
                        "",
                        "unknown type of event '%s'%s"
                                .formatted(type, Suggestion.of(type, typeNames())));
            }
        }
    }

    /// Names of events and of their kinds.
    public static Set<String> typeNames() {
        Set<String> names = new TreeSet<>();
        for (Class<? extends Event> kind : KINDS) {
            names.add(kind.getSimpleName());
            for (Class<?> event : kind.getPermittedSubclasses()) {
                names.add(event.getSimpleName());
            }
        }
        return names;
    }

    /// The events that may fit by their names.
    public List<Class<?>> eventTypes() {
        List<Class<?>> found = new ArrayList<>();
        for (Class<? extends Event> kind : KINDS) {
            for (Class<?> event : kind.getPermittedSubclasses()) {
                if (types.isEmpty()
                        || types.contains(kind.getSimpleName())
                        || types.contains(event.getSimpleName())) {
                    found.add(event);
                }
            }
        }
        return found;
    }

    /// Hands every event that fits to `consumer`, as long as `goOn` says so.
    public void run(Session session, Consumer<Envelope> consumer, BooleanSupplier goOn) {
        session.events(before(session), handler(session, consumer, goOn));
    }

    /// Does so, too, with what is still being recorded, until the session has ended or the thread is
    /// interrupted.
    public void follow(Session session, Consumer<Envelope> consumer, BooleanSupplier goOn) {
        session.follow(before(session), handler(session, consumer, goOn));
    }

    private Session.EventHandler handler(
            Session session, Consumer<Envelope> consumer, BooleanSupplier goOn) {
        check(session);
        return (envelope, _) -> {
            if (fits(session, envelope)) {
                consumer.accept(envelope);
            }
            return envelope.stamp().order() < to && goOn.getAsBoolean();
        };
    }

    private Optional<CheckpointRef> before(Session session) {
        return from > 1 ? session.checkpointBefore(from - 1) : Optional.empty();
    }

    /// Makes sure that the session has what is asked for.
    public void check(Session session) {
        if (vcpu.isPresent() && (vcpu.get() < 0 || vcpu.get() >= session.vcpus())) {
            throw session.noVcpu(vcpu.get());
        }
    }

    public boolean fits(Session session, Envelope envelope) {
        long order = envelope.stamp().order();
        return order >= from
                && order <= to
                && (vcpu.isEmpty() || vcpu.get() == envelope.stamp().vcpu())
                && (types.isEmpty() || isOfType(envelope.event()))
                && (where.isEmpty() || where.get().holds(session.vendor(), envelope));
    }

    private boolean isOfType(Event event) {
        if (types.contains(event.name())) {
            return true;
        }
        for (Class<? extends Event> kind : KINDS) {
            if (kind.isInstance(event)) {
                return types.contains(kind.getSimpleName());
            }
        }
        return false;
    }
}

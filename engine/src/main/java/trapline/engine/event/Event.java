package trapline.engine.event;

/// An immutable fact about one vCPU, past tense, free of behaviour.
///
/// The four kinds say what becomes of an event under another policy: a guest's op stays and its
/// result is compared, an input is used again, what hardware and hypervisor did is computed anew. What
/// was observed on a real host is a recording of its own, which a model can be held against. A
/// variant may gain fields with defaults but never lose or reinterpret one.
public sealed interface Event
        permits GuestEvent, InputEvent, HardwareEvent, HypervisorEvent, ObservedEvent {

    /// The event's name, as users, schemas and exports spell it.
    default String name() {
        return getClass().getSimpleName();
    }
}

package trapline.engine.event;

/// Where decided events go: each is stamped, folded into the state and passed on before `emit` returns.
public interface Emitter {

    /// Emits an event that the current cause brought about, and returns its order number.
    long emit(Event event);

    /// Emits an event about what all vCPUs share.
    long emitShared(Event event);

    /// The tick of what is emitted now: that of the op under way, before its first event as well.
    long tick();

    /// The order number of the event that causes what is emitted now; 0 for the guest's own op.
    long cause();

    void causedBy(long order);

    /// Says that a point has come at which safety rules judge.
    void at(Moment moment);
}

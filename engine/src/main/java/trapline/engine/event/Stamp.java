package trapline.engine.event;

/// Where an event stands in its session.
///
/// @param order the session's total order, from 1
/// @param vcpu the vCPU the event belongs to
/// @param seq the vCPU's own sequence number, from 1, no gaps
/// @param pcpu the physical CPU it happened on
/// @param scope who shares what the event changed
/// @param tick guest instructions attempted so far on this vCPU, L1 and L2 alike
/// @param op the ordinal of the guest op on this vCPU, from 1; 0 before the first
/// @param cause the order number of the event that caused this one; 0 where the guest's own op did
public record Stamp(
        long order, int vcpu, long seq, int pcpu, Scope scope, long tick, long op, long cause) {

    /// Who shares what an event changed.
    public enum Scope {
        VCPU,
        VM
    }
}

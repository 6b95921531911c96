package trapline.replayer;

import java.util.List;
import java.util.Optional;
import trapline.engine.cost.CostProfile;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent;

/// Two executions of one recording, compared.
///
/// @param setup events that differ before the first op, when the vCPUs are made
/// @param notes what a reader has to know to read the numbers rightly
public record DiffResult(
        Session session,
        CostProfile costs,
        Side base,
        Side candidate,
        Comparison comparison,
        Optional<Divergence> firstDivergence,
        GuestVisible guestVisible,
        int setup,
        List<String> notes) {

    /// @param policy as the user wrote it
    public record Side(String policy, Tally tally, Projection projection) {}

    /// Where the two part: the first unequal event on each side.
    ///
    /// @param base null where the base has no further event for the op
    /// @param what in words
    public record Divergence(
            int vcpu,
            long op,
            String opName,
            long baseOrder,
            long candidateOrder,
            Event base,
            Event candidate,
            String what) {}

    /// Where the guest itself could tell the two apart.
    ///
    /// @param differences the first ones; `count` counts all
    public record GuestVisible(long count, List<Difference> differences) {

        public boolean identical() {
            return count == 0;
        }
    }

    /// @param base null where the op never ended
    public record Difference(int vcpu, long op, GuestEvent base, GuestEvent candidate) {}
}

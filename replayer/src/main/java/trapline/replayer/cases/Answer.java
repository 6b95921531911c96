package trapline.replayer.cases;

import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import trapline.engine.cost.Range;
import trapline.replayer.cases.Case.Verdict;

/// What a case's executions say of its claim.
public record Answer(
        Case question,
        Verdict verdict,
        String because,
        List<Recorded> sessions,
        List<Compared> diffs,
        SequencedMap<String, Number> counts,
        List<Assumed> assumed,
        Optional<Sight> sight) {

    /// A session, and what it was made of.
    public record Recorded(
            String name,
            String session,
            String guest,
            String cpu,
            String policy,
            int vcpus,
            long events,
            long exits) {}

    /// A diff of a session, with the words that repeat it.
    public record Compared(
            String name,
            String session,
            String base,
            String candidate,
            String costs,
            long baseExits,
            long candidateExits,
            Range cycles,
            String command) {}

    /// A figure that nobody measured, and that one of the counts rests on.
    ///
    /// @param more how many times more often the candidate uses it
    /// @param breakEven its value at which both sides cost the same; NaN where none does
    public record Assumed(
            String diff,
            String figure,
            long more,
            Range range,
            double breakEven,
            boolean decides) {}

    /// An event to look at, and the words that show it.
    ///
    /// @param side `recorded`, or the side of a diff that it is of
    public record Sight(
            String session, String side, Place place, String type, String text, String command) {}

    /// Where an event is.
    public record Place(int vcpu, long seq, long order, long op) {}
}

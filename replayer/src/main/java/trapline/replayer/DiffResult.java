package trapline.replayer;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import trapline.engine.cost.CostProfile;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent;
import trapline.engine.policy.Policy;
import trapline.engine.rule.Rules;
import trapline.engine.rule.Violation;
import trapline.replayer.observed.Fidelity;

/// Two executions of one recording, compared.
///
/// @param setup events that differ before the first op, when the vCPUs are made
/// @param notes what a reader has to know to read the numbers rightly
/// @param trace what an imported trace says of the numbers; empty where the model executed the session
public record DiffResult(
        Session session,
        CostProfile costs,
        Side base,
        Side candidate,
        Comparison comparison,
        Optional<Divergence> firstDivergence,
        GuestVisible guestVisible,
        int setup,
        List<String> notes,
        Optional<OfTrace> trace) {

    /// How far the numbers hold that rest on a trace of a real host.
    ///
    /// @param unseen accesses that the trace cannot have, so that counts of them are lower bounds
    public record OfTrace(Fidelity fidelity, List<Unseen> unseen) {}

    /// This result, held against the trace it rests on.
    public DiffResult heldAgainst(FidelityRun.Result run) {
        List<Unseen> unseen = Unseen.of(run.passed(), base.tally(), candidate.tally());
        List<String> more = new ArrayList<>(notes);
        more.add(run.fidelity().describe());
        if (!unseen.isEmpty()) {
            more.add(Unseen.describe(unseen));
        }
        return new DiffResult(
                session,
                costs,
                base,
                candidate,
                comparison,
                firstDivergence,
                guestVisible,
                setup,
                List.copyOf(more),
                Optional.of(new OfTrace(run.fidelity(), unseen)));
    }

    /// What the trace cannot have of accesses that a row counts; empty where it has all.
    ///
    /// @param access as a row of counts names it
    public Optional<Unseen> unseen(String access) {
        return trace.flatMap(
                of -> of.unseen().stream().filter(one -> one.access().equals(access)).findFirst());
    }

    /// @param violations the safety rules that it broke
    /// @param bins its exits over the ops
    public record Side(
            Policy.Identity identity,
            Tally tally,
            Projection projection,
            List<Violation> violations,
            ExitBins bins) {

        /// The policy as its user wrote it.
        public String policy() {
            return identity.expression();
        }

        /// The names of the safety rules that this side breaks and the other keeps.
        public List<String> breaksAlone(Side other) {
            return violations.stream()
                    .map(Violation::rule)
                    .distinct()
                    .filter(rule -> other.violations.stream().noneMatch(v -> v.rule() == rule))
                    .map(Rules.Name::text)
                    .toList();
        }
    }

    /// Where the two part: the first unequal event on each side.
    ///
    /// @param at how many events of the op are equal before that
    /// @param baseEvents all that the op did under the base
    /// @param what in words
    /// @param before the steps that came last, over all vCPUs
    /// @param after the steps that came next
    public record Divergence(
            int vcpu,
            long op,
            String opName,
            int at,
            List<Envelope> baseEvents,
            List<Envelope> candidateEvents,
            String what,
            List<Nearby> before,
            List<Nearby> after) {

        Divergence followedBy(List<Nearby> next) {
            return new Divergence(
                    vcpu, op, opName, at, baseEvents, candidateEvents, what, before, next);
        }

        /// The base's first unequal event; null where it has no further one for the op.
        public Event base() {
            return event(baseEvents);
        }

        public Event candidate() {
            return event(candidateEvents);
        }

        /// 0 where there is no such event.
        public long baseOrder() {
            return order(baseEvents);
        }

        public long candidateOrder() {
            return order(candidateEvents);
        }

        private Event event(List<Envelope> events) {
            return at < events.size() ? events.get(at).event() : null;
        }

        private long order(List<Envelope> events) {
            return at < events.size() ? events.get(at).stamp().order() : 0;
        }
    }

    /// A step that came shortly before or after, and what it did.
    ///
    /// @param op the ordinal of the guest op; that of the last one for an input
    public record Nearby(
            int vcpu,
            long op,
            String name,
            List<Envelope> baseEvents,
            List<Envelope> candidateEvents) {}

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

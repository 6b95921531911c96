package trapline.engine.rule;

import java.util.List;
import trapline.engine.event.Envelope;

/// A rule that was broken, by one vCPU in one way.
///
/// @param first the last event of the vCPU before it was judged so first
/// @param causes what caused that event, and so on, back to the guest's op
/// @param count how often it was judged so
public record Violation(
        Rules.Name rule, Envelope first, List<Envelope> causes, String message, long count) {

    /// In a user's words.
    public String describe() {
        return "%s broken by vCPU %d after event %d (op %d)%s: %s"
                .formatted(
                        rule.text(),
                        first.stamp().vcpu(),
                        first.stamp().order(),
                        first.stamp().op(),
                        count == 1 ? "" : ", the first of " + count + " times",
                        message);
    }
}

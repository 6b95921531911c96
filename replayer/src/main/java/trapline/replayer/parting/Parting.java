package trapline.replayer.parting;

import java.util.List;
import java.util.Optional;
import trapline.engine.event.Envelope;

/// Where two sessions part, with what each vCPU's neighbourhood looks like on both sides.
///
/// @param vcpu whose events differ
/// @param compared events that were the same before
/// @param differences names of the fields that differ; `type` where the events are of different kinds
/// @param base the first event that differs, or empty where the first session has none left
/// @param before the last events that were the same, as the first session has them
/// @param candidateBefore the same, as the second has them
/// @param after what follows in the first session
/// @param candidateAfter what follows in the second
public record Parting(
        int vcpu,
        long compared,
        List<String> differences,
        Optional<Envelope> base,
        Optional<Envelope> candidate,
        List<Envelope> before,
        List<Envelope> candidateBefore,
        List<Envelope> after,
        List<Envelope> candidateAfter) {}

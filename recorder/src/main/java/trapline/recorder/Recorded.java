package trapline.recorder;

import java.util.List;
import trapline.engine.rule.Violation;
import trapline.engine.sim.EntryFailures;

/// A session as it was recorded.
///
/// @param closed whether the guest came to its end
/// @param failures the VM entries that failed
/// @param violations the safety rules that the execution broke
public record Recorded(
        String session,
        long events,
        long guestOps,
        int vcpus,
        boolean closed,
        List<EntryFailures.Failure> failures,
        List<Violation> violations) {}

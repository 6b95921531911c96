package trapline.dashboard;

import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import trapline.engine.event.Envelope;

/// What caused each event of an op, and how far that is from the guest's op itself.
final class CauseTree {

    /// As deep as the style sheet indents.
    private static final int DEEPEST = 4;

    private final IdentityHashMap<Envelope, Envelope> causes = new IdentityHashMap<>();

    CauseTree(List<Envelope> base, List<Envelope> candidate) {
        add(base);
        add(candidate);
    }

    private void add(List<Envelope> events) {
        Map<Long, Envelope> byOrder = new HashMap<>();
        for (Envelope envelope : events) {
            Envelope cause = byOrder.get(envelope.stamp().cause());
            if (cause != null) {
                causes.put(envelope, cause);
            }
            byOrder.put(envelope.stamp().order(), envelope);
        }
    }

    /// The event of the same op that caused it, if it was one.
    Optional<Envelope> cause(Envelope envelope) {
        return Optional.ofNullable(causes.get(envelope));
    }

    /// 0 for what the guest's op did itself.
    int depth(Envelope envelope) {
        int depth = 0;
        Envelope cause = causes.get(envelope);
        while (cause != null && depth < DEEPEST) {
            depth++;
            cause = causes.get(cause);
        }
        return depth;
    }
}

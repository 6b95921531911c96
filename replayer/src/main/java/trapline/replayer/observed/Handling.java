package trapline.replayer.observed;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import trapline.engine.event.Envelope;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Tracepoint;

/// One VM exit from `kvm_exit` to `kvm_entry`, and what was traced in between.
final class Handling {

    private static final long SVM = 2;

    private final TracepointHit exit;
    private final long order;
    private final int pcpu;
    private final boolean nested;
    private final boolean svm;
    private final Map<Tracepoint, TracepointHit> details = new EnumMap<>(Tracepoint.class);

    /// @param svmBefore whose exits the trace had before, where this one does not tell
    Handling(Envelope envelope, TracepointHit exit, boolean nested, boolean svmBefore) {
        this.exit = exit;
        this.nested = nested;
        order = envelope.stamp().order();
        pcpu = envelope.stamp().pcpu();
        svm = value(exit, "isa", svmBefore ? SVM : 1) == SVM;
    }

    static long value(TracepointHit hit, String field, long otherwise) {
        return hit.fields().value(hit.point().field(field), otherwise);
    }

    static boolean has(TracepointHit hit, String field) {
        return hit.fields().has(hit.point().field(field));
    }

    /// Whether it is the first of its kind, which tells the op, or the answer to a read that had none yet.
    boolean add(TracepointHit detail) {
        TracepointHit first = details.get(detail.point());
        if (first != null && !TracedOps.unanswered(first)) {
            return false;
        }
        details.put(detail.point(), detail);
        return true;
    }

    /// The detail of a kind, which is then nobody else's; null where there is none.
    TracepointHit take(Tracepoint point) {
        return details.remove(point);
    }

    boolean has(Tracepoint point) {
        return details.containsKey(point);
    }

    /// What nobody took.
    List<TracepointHit> left() {
        return List.copyOf(details.values());
    }

    long order() {
        return order;
    }

    /// The host's CPU on which it exited.
    int pcpu() {
        return pcpu;
    }

    long time() {
        return exit.time();
    }

    boolean svm() {
        return svm;
    }

    /// Whether the guest's own guest exited.
    boolean nested() {
        return nested || has(Tracepoint.KVM_NESTED_VMEXIT);
    }

    long reason() {
        return field("reason", 0);
    }

    long rip() {
        return field("rip", 0);
    }

    boolean tells(String field) {
        return has(exit, field);
    }

    long field(String name, long otherwise) {
        return value(exit, name, otherwise);
    }
}

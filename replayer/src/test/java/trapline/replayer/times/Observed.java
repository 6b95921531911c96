package trapline.replayer.times;

import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.ObservedEvent.EventsLost;
import trapline.engine.event.ObservedEvent.TraceClock;
import trapline.engine.event.ObservedEvent.TraceOpened;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Stamp;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;

/// A trace that a test writes down event by event: vCPU n runs on CPU n unless told otherwise.
final class Observed {

    static final long VMX = 1;
    static final long SVM = 2;

    static final long EXTERNAL_INTERRUPT = 1;
    static final long HLT = 12;
    static final long IO_INSTRUCTION = 30;
    static final long MSR_WRITE = 32;
    static final long EPT_MISCONFIG = 49;

    private final Consumer<Envelope> sink;
    private final Map<Integer, Integer> pcpus = new TreeMap<>();
    private final Map<Integer, Long> seqs = new TreeMap<>();
    private long order;

    Observed(Consumer<Envelope> sink) {
        this.sink = sink;
    }

    Observed opened(TraceClock clock) {
        return event(0, new TraceOpened("t", "ftrace", clock));
    }

    Observed runsOn(int vcpu, int pcpu) {
        pcpus.put(vcpu, pcpu);
        return this;
    }

    Observed exit(int vcpu, long time, long reason) {
        return hit(vcpu, time, Tracepoint.KVM_EXIT, "isa", VMX, "reason", reason, "rip", 0x1000L);
    }

    Observed entry(int vcpu, long time) {
        return hit(vcpu, time, Tracepoint.KVM_ENTRY, "vcpu", (long) vcpu);
    }

    /// An exit that takes so long.
    Observed exit(int vcpu, long time, long reason, long duration) {
        return exit(vcpu, time, reason).entry(vcpu, time + duration);
    }

    Observed lost(int pcpu, long time, long count) {
        int before = pcpus.getOrDefault(0, 0);
        return runsOn(0, pcpu)
                .event(0, new EventsLost(time, count), Stamp.Scope.VM)
                .runsOn(0, before);
    }

    Observed hit(int vcpu, long time, Tracepoint point, Object... namesAndValues) {
        long[] values = new long[point.fields().size()];
        int present = 0;
        for (int i = 0; i < namesAndValues.length; i += 2) {
            int field = point.field((String) namesAndValues[i]);
            if (field < 0) {
                throw new IllegalArgumentException(point + " has no " + namesAndValues[i]);
            }
            values[field] = (Long) namesAndValues[i + 1];
            present |= 1 << field;
        }
        return event(vcpu, new TracepointHit(time, 100 + vcpu, point, fields(present, values)));
    }

    private static TraceFields fields(int present, long[] values) {
        long[] there = new long[Integer.bitCount(present)];
        int next = 0;
        for (int i = 0; i < values.length; i++) {
            if ((present >>> i & 1) != 0) {
                there[next++] = values[i];
            }
        }
        return TraceFields.of(present, there, "");
    }

    /// An exit of a thread whose vCPU nobody knows.
    Observed early(long time, long reason) {
        int present = 1 << Tracepoint.KVM_EXIT.field("reason");
        TraceFields fields = TraceFields.of(present, new long[] {reason}, "");
        TracepointHit hit = new TracepointHit(time, 99, Tracepoint.KVM_EXIT, fields);
        return event(0, hit, Stamp.Scope.VM);
    }

    Observed event(int vcpu, Event event) {
        return event(vcpu, event, Stamp.Scope.VCPU);
    }

    private Observed event(int vcpu, Event event, Stamp.Scope scope) {
        long seq = seqs.merge(vcpu, 1L, Long::sum);
        int pcpu = pcpus.getOrDefault(vcpu, vcpu);
        sink.accept(new Envelope(new Stamp(++order, vcpu, seq, pcpu, scope, 0, 0, 0), event));
        return this;
    }
}

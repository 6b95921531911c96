package trapline.recorder.trace;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import trapline.engine.event.ObservedEvent.EventsLost;
import trapline.engine.event.ObservedEvent.MsrLogged;
import trapline.engine.event.ObservedEvent.ThreadSeen;
import trapline.engine.event.ObservedEvent.TraceClock;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;

/// Keeps all that a trace told.
final class Seen implements TraceSink {

    record Hit(int cpu, int thread, long time, Tracepoint point, TraceFields fields) {

        /// `kvm_msr write=1 msr=0x10 …`: the fields that there are.
        String text() {
            StringBuilder text = new StringBuilder(point.text());
            for (int i = 0; i < point.fields().size(); i++) {
                if (fields.has(i)) {
                    text.append(' ').append(point.fields().get(i)).append("=0x");
                    text.append(Long.toHexString(fields.value(i, 0)));
                }
            }
            return text.append(fields.text().isEmpty() ? "" : " '" + fields.text() + "'")
                    .toString();
        }
    }

    record Lost(int cpu, EventsLost event) {}

    record Access(int vcpu, MsrLogged logged) {}

    final List<Hit> hits = new ArrayList<>();
    final List<ThreadSeen> threads = new ArrayList<>();
    final List<Access> accesses = new ArrayList<>();
    final List<Lost> lost = new ArrayList<>();
    TraceFormat format;
    TraceClock clock;
    TraceSummary summary;

    static Seen of(byte[] trace) {
        Seen seen = new Seen();
        seen.summary = TraceReader.of(new ByteArrayInputStream(trace), "trace.txt").read(seen);
        return seen;
    }

    static Seen of(String trace) {
        return of(trace.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void opened(TraceFormat format, TraceClock clock) {
        this.format = format;
        this.clock = clock;
    }

    @Override
    public void thread(int thread, int process, String name) {
        threads.add(new ThreadSeen(thread, process, name));
    }

    @Override
    public void hit(int cpu, int thread, long time, Tracepoint point, TraceFields fields) {
        hits.add(new Hit(cpu, thread, time, point, fields));
    }

    @Override
    public void msr(int vcpu, MsrLogged logged) {
        accesses.add(new Access(vcpu, logged));
    }

    @Override
    public void lost(int cpu, long time, long count) {
        lost.add(new Lost(cpu, new EventsLost(time, count)));
    }
}

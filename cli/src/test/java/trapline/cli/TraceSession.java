package trapline.cli;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.ObservedEvent.TraceClock;
import trapline.engine.event.ObservedEvent.TraceOpened;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Stamp;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;
import trapline.engine.sim.Ingredients;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.journal.SessionWriter;
import trapline.schemas.ClosingRecord;
import trapline.schemas.Digest;
import trapline.schemas.EventEncoder;
import trapline.schemas.SessionHeader;
import trapline.schemas.SessionHeader.Guest;
import trapline.schemas.SessionHeader.GuestKind;
import trapline.schemas.SessionHeader.Machine;
import trapline.schemas.SessionHeader.Versions;

/// An imported session, written event by event.
final class TraceSession implements AutoCloseable {

    static final long VMX = 1;
    static final long SVM = 2;

    private final Journal journal;
    private final SessionWriter writer;
    private final EventEncoder encoder;
    private final long[] seqs;
    private long order;
    private long time;

    TraceSession(Path log, String session, int vcpus) {
        journal = Journals.open("file:" + log, Optional.empty());
        SessionHeader header =
                new SessionHeader(
                        session,
                        1,
                        new Versions("test", Ingredients.MODEL_VERSION),
                        new Guest(GuestKind.TRACE, "trace.txt", 0),
                        new Machine("", vcpus, vcpus),
                        "",
                        Optional.empty(),
                        List.of());
        writer = journal.create(header, Map.of());
        encoder = new EventEncoder(journal.framing());
        seqs = new long[vcpus];
        event(0, new TraceOpened("trace.txt", "ftrace", TraceClock.NANOSECONDS));
    }

    void event(int vcpu, Event event) {
        order++;
        seqs[vcpu]++;
        Stamp stamp = new Stamp(order, vcpu, seqs[vcpu], 0, Stamp.Scope.VCPU, 0, 0, 0);
        writer.append(encoder.encode(new Envelope(stamp, event)));
    }

    /// @param fields names and values in turn
    TraceSession hit(int vcpu, Tracepoint point, Object... fields) {
        time += 1000;
        event(vcpu, new TracepointHit(time, 100 + vcpu, point, fields(point, fields)));
        return this;
    }

    static TraceFields fields(Tracepoint point, Object... named) {
        List<Object> pairs = Arrays.asList(named);
        int present = 0;
        long[] values = new long[named.length / 2];
        int next = 0;
        for (int i = 0; i < point.fields().size(); i++) {
            int at = pairs.indexOf(point.fields().get(i));
            if (at >= 0) {
                present |= 1 << i;
                values[next++] = ((Number) named[at + 1]).longValue();
            }
        }
        return TraceFields.of(present, values, "");
    }

    @Override
    public void close() {
        writer.finish(
                new ClosingRecord(
                        order, seqs, 0, Digest.of(new byte[] {0}), encoder.chain(), 0, ""));
        writer.close();
        journal.close();
    }
}

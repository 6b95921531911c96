package trapline.recorder.observe;

import java.time.InstantSource;
import java.util.Arrays;
import java.util.function.LongConsumer;
import trapline.engine.event.Envelope;
import trapline.engine.event.ObservedEvent.EventsLost;
import trapline.engine.event.Stamp;
import trapline.journal.SessionWriter;
import trapline.schemas.Checkpoint;
import trapline.schemas.ClosingRecord;
import trapline.schemas.Digest;
import trapline.schemas.EventEncoder;
import trapline.schemas.Framing;

/// One session of what was observed, while it is recorded.
///
/// There is no state to keep, so that its checkpoints are places to begin reading at, and no more.
final class ObservedSession {

    private static final long PROGRESS_EVENTS = 10_000;
    private static final long CHECKPOINT_EVENTS = 100_000;
    private static final byte[] NO_STATE = {0};

    private final String session;
    private final SessionWriter writer;
    private final EventEncoder encoder;
    private final ObservedExits exits;
    private final LongConsumer progress;
    private long events;
    private long gaps;
    private long[] seqs;

    ObservedSession(
            String session,
            int vcpus,
            SessionWriter writer,
            Framing framing,
            InstantSource clock,
            LongConsumer progress) {
        this.session = session;
        this.writer = writer;
        this.progress = progress;
        encoder = new EventEncoder(framing);
        exits = new ObservedExits(session, writer, clock);
        seqs = new long[vcpus];
    }

    void accept(Envelope envelope) {
        Stamp stamp = envelope.stamp();
        writer.append(encoder.encode(envelope));
        exits.accept(envelope);
        events = stamp.order();
        if (stamp.vcpu() >= seqs.length) {
            seqs = Arrays.copyOf(seqs, stamp.vcpu() + 1);
        }
        seqs[stamp.vcpu()] = stamp.seq();
        if (envelope.event() instanceof EventsLost) {
            gaps++;
        }
        if (events % CHECKPOINT_EVENTS == 0) {
            writer.checkpoint(checkpoint());
        }
        if (events % PROGRESS_EVENTS == 0) {
            progress.accept(events);
        }
    }

    private Checkpoint checkpoint() {
        return new Checkpoint(
                session,
                events,
                seqs.clone(),
                new long[seqs.length],
                0,
                encoder.chain(),
                0,
                NO_STATE);
    }

    /// @param reason empty where the trace came to its end, else why recording stopped
    Imported finish(String reason) {
        exits.finish();
        writer.finish(
                new ClosingRecord(
                        events, seqs, 0, Digest.of(NO_STATE), encoder.chain(), 0, reason));
        progress.accept(events);
        return new Imported(session, events, gaps, seqs.length, reason.isEmpty());
    }

    void close() {
        writer.close();
    }
}

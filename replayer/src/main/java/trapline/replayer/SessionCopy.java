package trapline.replayer;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongConsumer;
import trapline.engine.event.Envelope;
import trapline.journal.Journal;
import trapline.journal.SessionReader;
import trapline.journal.SessionWriter;
import trapline.schemas.BlobRef;
import trapline.schemas.Checkpoint;
import trapline.schemas.ClosingRecord;
import trapline.schemas.Digest;
import trapline.schemas.EventEncoder;

/// A session in another log: its events, texts, checkpoints and end.
///
/// The chain of CRCs goes over the framing, too, so that it is made anew where that differs. A session that is torn,
/// or still being recorded, is a torn one there.
public final class SessionCopy {

    private static final long PROGRESS_EVENTS = 10_000;

    private final SessionReader reader;
    private final SessionWriter writer;
    private final EventEncoder encoder;
    private int checkpoints;

    private SessionCopy(SessionReader reader, SessionWriter writer, EventEncoder encoder) {
        this.reader = reader;
        this.writer = writer;
        this.encoder = encoder;
    }

    /// Copies a session, and says how many events it has.
    public static long copy(Session session, Journal to, LongConsumer progress) {
        SessionReader reader = session.reader();
        try (SessionWriter writer = to.create(session.header(), blobs(session))) {
            EventEncoder encoder = new EventEncoder(to.framing());
            SessionCopy copy = new SessionCopy(reader, writer, encoder);
            long[] events = new long[1];
            session.events((envelope, _) -> {
                copy.append(envelope);
                if (++events[0] % PROGRESS_EVENTS == 0) {
                    progress.accept(events[0]);
                }
                return true;
            });
            session.entry()
                    .closing()
                    .ifPresent(closing -> writer.finish(chained(closing, encoder.chain())));
            return events[0];
        }
    }

    private static Map<Digest, byte[]> blobs(Session session) {
        Map<Digest, byte[]> blobs = new LinkedHashMap<>();
        for (BlobRef ref : session.header().blobs()) {
            blobs.put(ref.sha256(), session.reader().blob(ref.sha256()));
        }
        return blobs;
    }

    private void append(Envelope envelope) {
        writer.append(encoder.encode(envelope));
        long order = envelope.stamp().order();
        while (checkpoints < reader.checkpoints()
                && reader.checkpointRef(checkpoints).order() == order) {
            writer.checkpoint(checkpoint());
            checkpoints++;
        }
    }

    private Checkpoint checkpoint() {
        Checkpoint found = reader.checkpoint(reader.checkpointRef(checkpoints));
        return new Checkpoint(
                found.session(),
                found.order(),
                found.seqs(),
                found.ticks(),
                found.eventOffset(),
                encoder.chain(),
                found.modelVersion(),
                found.state());
    }

    private static ClosingRecord chained(ClosingRecord closing, int chain) {
        return new ClosingRecord(
                closing.events(),
                closing.vcpuEvents(),
                closing.guestOps(),
                closing.digest(),
                chain,
                closing.checkpoints(),
                closing.reason());
    }
}

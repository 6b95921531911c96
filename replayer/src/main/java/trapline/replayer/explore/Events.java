package trapline.replayer.explore;

import java.util.Arrays;
import java.util.Optional;
import trapline.engine.event.Envelope;
import trapline.engine.event.Stamp;
import trapline.journal.Journal;
import trapline.replayer.ReplayException;
import trapline.replayer.ReplayException.Kind;
import trapline.replayer.Session;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.CheckpointRef;
import trapline.schemas.ClosingRecord;

/// A session's events at any place, as far as it has got by now.
///
/// Used by one thread at a time.
final class Events implements AutoCloseable {

    /// How old what is known of an open session's end may be.
    private static final long STALE_NANOS = 500_000_000;

    private final Journal journal;
    private final Chunks chunks = new Chunks();
    private Session session;
    private long opened;
    private Chunk end;
    private long endRead;

    Events(Journal journal, Session session) {
        this.journal = journal;
        this.session = session;
        opened = System.nanoTime();
    }

    /// The session as the log has it now: an open one gets checkpoints, and ends; then what was the newest is so no more.
    Session session() {
        if (session.entry().status() == Status.OPEN && isStale(opened)) {
            Session again = Session.open(journal, session.name());
            session.close();
            session = again;
            opened = System.nanoTime();
            if (session.entry().status() != Status.OPEN) {
                end = null;
                chunks.forget();
            }
        }
        return session;
    }

    private static boolean isStale(long since) {
        return System.nanoTime() - since > STALE_NANOS;
    }

    boolean isOpen() {
        return session().entry().status() == Status.OPEN;
    }

    /// The order number of the last event.
    long last() {
        Optional<ClosingRecord> closing = session().entry().closing();
        return closing.isPresent() ? closing.get().events() : end().last();
    }

    /// The sequence number of a vCPU's last event.
    long last(int vcpu) {
        Optional<ClosingRecord> closing = session().entry().closing();
        long[] seqs = closing.isPresent() ? closing.get().vcpuEvents() : seqs(end());
        return vcpu < seqs.length ? seqs[vcpu] : 0;
    }

    /// How many vCPUs; of a trace that has not ended, those seen by now.
    int vcpus() {
        boolean told = !session().imported() || session.entry().closing().isPresent();
        return told ? session.entry().vcpus() : seqs(end()).length;
    }

    private static long[] seqs(Chunk chunk) {
        long[] seqs = chunk.seqs().clone();
        for (Envelope envelope : chunk.events()) {
            Stamp stamp = envelope.stamp();
            seqs = stamp.vcpu() < seqs.length ? seqs : Arrays.copyOf(seqs, stamp.vcpu() + 1);
            seqs[stamp.vcpu()] = stamp.seq();
        }
        return seqs;
    }

    /// The chunk that the session ends in, which has no closing record to tell.
    private Chunk end() {
        if (end == null || (isOpen() && isStale(endRead))) {
            long from =
                    session().reader().checkpointBefore(Long.MAX_VALUE).stream()
                            .mapToLong(ref -> ref.order() / Chunk.SIZE)
                            .findFirst()
                            .orElse(0);
            long number = end == null ? from : Math.max(from, end.number());
            endRead = System.nanoTime();
            end = chunks.read(session(), number);
            while (end.full()) {
                end = chunks.read(session(), number + 1);
                number++;
            }
        }
        return end;
    }

    /// The chunk with this number, which is empty behind the session's end.
    Chunk chunk(long number) {
        Optional<Chunk> known = chunks.known(number);
        if (known.isPresent() && (known.get().full() || !isOpen())) {
            return known.get();
        }
        if (session.entry().closing().isEmpty() && end().number() == number) {
            return end();
        }
        return chunks.read(session(), number);
    }

    /// The chunk with an event; it need not be the newest that is known.
    Chunk holding(long order) {
        long number = Chunk.number(order);
        return chunks.known(number)
                .filter(chunk -> chunk.has(order))
                .orElseGet(() -> chunk(number));
    }

    /// The event with this order number.
    Envelope event(long order) {
        Chunk chunk = order < 1 ? null : holding(order);
        if (chunk == null || !chunk.has(order)) {
            throw noSuchPlace(
                    "session %s has %d events, not %d".formatted(session.name(), last(), order));
        }
        return chunk.event(order);
    }

    /// A vCPU's event with this sequence number.
    Envelope event(int vcpu, long seq) {
        checkVcpu(vcpu);
        Optional<CheckpointRef> before = session().reader().checkpointBefore(vcpu, seq - 1);
        long number = Chunk.number(before.map(ref -> ref.order() + 1).orElse(1L));
        Chunk chunk;
        do {
            chunk = chunk(number++);
            Envelope found =
                    chunk.next(
                            0, event -> event.stamp().vcpu() == vcpu && event.stamp().seq() == seq);
            if (found != null) {
                return found;
            }
        } while (chunk.full());
        throw noSuchPlace(
                "vCPU %d of session %s has %d events, not %d"
                        .formatted(vcpu, session.name(), last(vcpu), seq));
    }

    void checkVcpu(int vcpu) {
        int vcpus = vcpus();
        if (vcpu < 0 || vcpu >= vcpus) {
            throw noSuchPlace(
                    vcpus == 1
                            ? "session %s has only vCPU 0, not %d".formatted(session.name(), vcpu)
                            : "session %s has vCPUs 0 to %d, not %d"
                                    .formatted(session.name(), vcpus - 1, vcpu));
        }
    }

    private static ReplayException noSuchPlace(String message) {
        return new ReplayException(Kind.NO_SUCH_PLACE, "", message);
    }

    @Override
    public void close() {
        session.close();
    }
}

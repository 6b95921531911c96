package trapline.journal.kafka;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.journal.SessionReader;
import trapline.journal.session.CheckpointIndex;
import trapline.journal.session.Patience;
import trapline.journal.session.Pieces;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.Checkpoint;
import trapline.schemas.CheckpointRef;
import trapline.schemas.ClosingRecord;
import trapline.schemas.Digest;
import trapline.schemas.Framing;
import trapline.schemas.WireException;

/// Reads one session out of Kafka.
final class KafkaReader implements SessionReader {

    private final KafkaLog log;
    private final CatalogueEntry entry;
    private final TopicPartition partition;
    private final CheckpointIndex index;
    private Consumer<Boolean, ByteBuffer> consumer;

    KafkaReader(KafkaLog log, CatalogueEntry entry) {
        this.log = log;
        this.entry = entry;
        partition = new TopicPartition(log.topics().events(), entry.partition());
        String session = entry.header().session();
        index =
                new CheckpointIndex(
                        Math.max(entry.pages(), log.catalogue().pages(session)),
                        page -> log.catalogue().page(session, page));
    }

    @Override
    public CatalogueEntry entry() {
        return entry;
    }

    @Override
    public String place() {
        return partition.toString();
    }

    @Override
    public String place(CheckpointRef ref) {
        return checkpoints(ref) + "@" + ref.offset();
    }

    private TopicPartition checkpoints(CheckpointRef ref) {
        return new TopicPartition(log.topics().checkpoints(), ref.partition());
    }

    @Override
    public String entryPlace() {
        return log.catalogue().place(entry.header().session());
    }

    /// Kafka's checksums are those of whole batches, so that nobody knows whose records are lost.
    @Override
    public List<JournalException> unreadable() {
        return entry.closing().isPresent() ? List.of() : log.catalogue().damaged();
    }

    @Override
    public CheckpointRef checkpointRef(int number) {
        return index.get(number);
    }

    @Override
    public Framing.Writers writers() {
        return log.schemas();
    }

    @Override
    public byte[] blob(Digest sha256) {
        return log.blobs().read(Pieces.ref(entry.header(), sha256, log.cluster().location()));
    }

    /// Everything that was acknowledged is below the partition's end when the call begins, whatever
    /// the last heartbeat said; a session that has ended says itself how many events it has.
    @Override
    public void read(CheckpointRef from, RecordHandler handler) {
        EventCursor cursor = cursor(from, handler);
        drain(cursor, first(from), log.notes().end(partition), entry);
        checkComplete(cursor, entry);
    }

    @Override
    public void follow(CheckpointRef from, RecordHandler handler) {
        EventCursor cursor = cursor(from, handler);
        long next = first(from);
        CatalogueEntry now;
        do {
            now = log.current(entry.header().session());
            long end = log.notes().end(partition);
            drain(cursor, next, end, now);
            next = Math.max(end, cursor.next());
        } while (now.status() == Status.OPEN && !cursor.isStopped() && Patience.pause());
        if (now.status() != Status.OPEN) {
            checkComplete(cursor, now);
        }
    }

    private EventCursor cursor(CheckpointRef from, RecordHandler handler) {
        return new EventCursor(partition, handler, from == null ? 0 : from.order(), first(from));
    }

    private long first(CheckpointRef from) {
        return from == null ? entry.firstOffset() : from.eventOffset() + 1;
    }

    private void drain(EventCursor cursor, long first, long end, CatalogueEntry now) {
        long total = now.closing().map(ClosingRecord::events).orElse(Long.MAX_VALUE);
        if (first < end && cursor.events() < total) {
            try (EventStream stream =
                    new EventStream(consumer(), partition, log.cluster(), first, end)) {
                cursor.drain(stream, total);
            }
        }
    }

    /// A log that lost its end must not pass for a shorter session.
    private void checkComplete(EventCursor cursor, CatalogueEntry now) {
        long least = now.closing().map(ClosingRecord::events).orElseGet(now::acknowledged);
        if (!cursor.isStopped() && cursor.events() < least) {
            throw new JournalException(
                    Kind.DAMAGED,
                    partition + "@" + cursor.next(),
                    "the log ends after event %d of session %s, which has %d"
                            .formatted(cursor.events(), now.header().session(), least));
        }
    }

    @Override
    public Optional<CheckpointRef> checkpointBefore(long order) {
        return index.last(CheckpointRef::order, order);
    }

    @Override
    public Optional<CheckpointRef> checkpointBefore(int vcpu, long seq) {
        return index.last(ref -> vcpu < ref.seqs().length ? ref.seqs()[vcpu] : Long.MAX_VALUE, seq);
    }

    @Override
    public Checkpoint checkpoint(CheckpointRef ref) {
        String place = place(ref);
        ByteBuffer value =
                log.notes()
                        .fetch(checkpoints(ref), ref.offset())
                        .map(ConsumerRecord::value)
                        .orElseThrow(() -> wrongCheckpoint(place, ref));
        try {
            Checkpoint checkpoint =
                    log.frame(Checkpoint.CODEC)
                            .decode(
                                    value.array(),
                                    value.arrayOffset() + value.position(),
                                    value.remaining());
            if (checkpoint.order() != ref.order()
                    || !checkpoint.session().equals(entry.header().session())) {
                throw wrongCheckpoint(place, ref);
            }
            return checkpoint;
        } catch (WireException e) {
            throw KafkaFailure.of(e, place);
        }
    }

    private JournalException wrongCheckpoint(String place, CheckpointRef ref) {
        return new JournalException(
                Kind.DAMAGED,
                place,
                "expected the checkpoint after event %d of session %s, found another record"
                        .formatted(ref.order(), entry.header().session()));
    }

    @Override
    public int checkpoints() {
        return index.size();
    }

    private Consumer<Boolean, ByteBuffer> consumer() {
        if (consumer == null) {
            consumer = log.clients().events(Recording.key(entry.header().session()));
        }
        return consumer;
    }

    @Override
    public void close() {
        try {
            if (consumer != null) {
                consumer.close(CloseOptions.timeout(Clients.LEAVE));
            }
        } catch (KafkaException e) {
            // Nothing that is read can be lost by this.
        }
    }
}

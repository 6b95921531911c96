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
import trapline.schemas.BlobRef;
import trapline.schemas.CatalogueEntry;
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
                        log.catalogue().pages(session),
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
    public CheckpointRef checkpointRef(int number) {
        return index.get(number);
    }

    @Override
    public Framing.Writers writers() {
        return log.schemas();
    }

    @Override
    public byte[] blob(Digest sha256) {
        BlobRef ref =
                entry.header().blobs().stream()
                        .filter(blob -> blob.sha256().equals(sha256))
                        .findFirst()
                        .orElseThrow(() ->
                                new IllegalArgumentException(
                                        "the header names no content " + sha256));
        return log.blobs().read(ref);
    }

    /// Everything that was acknowledged is below the partition's end when the call begins, whatever
    /// the last heartbeat said; a session that has ended says itself how many events it has.
    @Override
    public void read(CheckpointRef from, RecordHandler handler) {
        long first = from == null ? entry.firstOffset() : from.eventOffset() + 1;
        long before = from == null ? 0 : from.order();
        long total = entry.closing().map(ClosingRecord::events).orElse(Long.MAX_VALUE);
        if (before >= total) {
            return;
        }
        long end = log.notes().end(partition);
        Cursor cursor = new Cursor(partition.toString(), handler, before, total);
        try (EventStream stream =
                new EventStream(consumer(), partition, log.cluster(), first, end)) {
            cursor.drain(stream);
        }
        if (!cursor.stopped) {
            checkComplete(cursor.events, Math.max(first, cursor.offset + 1));
        }
    }

    /// A log that lost its end must not pass for a shorter session.
    private void checkComplete(long events, long next) {
        long least = entry.closing().map(ClosingRecord::events).orElseGet(entry::acknowledged);
        if (events < least) {
            throw new JournalException(
                    Kind.DAMAGED,
                    partition + "@" + next,
                    "the log ends after event %d of session %s, which has %d"
                            .formatted(events, entry.header().session(), least));
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
        TopicPartition checkpoints =
                new TopicPartition(log.topics().checkpoints(), ref.partition());
        String place = checkpoints + "@" + ref.offset();
        ByteBuffer value =
                log.notes()
                        .fetch(checkpoints, ref.offset())
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

    /// Where reading is: the place of each record, in turn.
    private static final class Cursor implements Place {

        private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

        private final String partition;
        private final RecordHandler handler;
        private final long total;
        private long events;
        private long offset;
        private boolean stopped;

        Cursor(String partition, RecordHandler handler, long events, long total) {
            this.partition = partition;
            this.handler = handler;
            this.events = events;
            this.total = total;
        }

        void drain(EventStream stream) {
            List<ConsumerRecord<Boolean, ByteBuffer>> records = stream.next();
            while (records != null) {
                for (ConsumerRecord<Boolean, ByteBuffer> found : records) {
                    if (Boolean.TRUE.equals(found.key()) && !hand(found)) {
                        return;
                    }
                }
                records = stream.next();
            }
        }

        /// Whether to go on.
        private boolean hand(ConsumerRecord<Boolean, ByteBuffer> found) {
            ByteBuffer value = found.value() == null ? NOTHING : found.value();
            offset = found.offset();
            events++;
            if (!handler.record(
                    value.array(),
                    value.arrayOffset() + value.position(),
                    value.remaining(),
                    this)) {
                stopped = true;
                return false;
            }
            return events < total;
        }

        @Override
        public String describe() {
            return partition + "@" + offset;
        }

        @Override
        public long offset() {
            return offset;
        }
    }
}

package trapline.journal.kafka;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;

/// Reads what is small and seldom: the catalogue, schemas, blobs, single checkpoints.
///
/// One consumer, used by one caller at a time.
final class NoteReader implements AutoCloseable {

    /// How long offsets behind a damaged place are tried before the rest is given up.
    private static final Duration SKIPPING = Duration.ofSeconds(10);

    private final Clients clients;
    private final Cluster cluster;
    private Consumer<ByteBuffer, ByteBuffer> consumer;

    NoteReader(Clients clients, Cluster cluster) {
        this.clients = clients;
        this.cluster = cluster;
    }

    /// Receives what a scan finds.
    interface Visitor {
        void record(ConsumerRecord<ByteBuffer, ByteBuffer> found);

        /// Some bytes cannot be read; the scan goes on behind them where it can.
        void damage(JournalException found);
    }

    /// Visits every record from an offset to the partition's end as it is now.
    ///
    /// @return where to go on another time
    synchronized long scan(String topic, long from, Visitor visitor) {
        CarefulPoll<ByteBuffer, ByteBuffer> poll = open(new TopicPartition(topic, 0));
        poll.seek(from);
        long end = poll.end();
        long giveUp = Long.MAX_VALUE;
        while (poll.position() < end && System.nanoTime() < giveUp) {
            try {
                visit(poll, visitor);
                giveUp = Long.MAX_VALUE;
            } catch (JournalException e) {
                if (e.kind() != Kind.DAMAGED) {
                    throw e;
                }
                if (giveUp == Long.MAX_VALUE) {
                    visitor.damage(e);
                    giveUp = System.nanoTime() + SKIPPING.toNanos();
                }
                poll.seek(poll.position() + 1);
            }
        }
        return end;
    }

    private static void visit(CarefulPoll<ByteBuffer, ByteBuffer> poll, Visitor visitor) {
        for (ConsumerRecord<ByteBuffer, ByteBuffer> found : poll.next()) {
            if (found.key() != null) {
                visitor.record(found);
            }
        }
    }

    /// The record at an offset; empty if that was compacted away.
    synchronized Optional<ConsumerRecord<ByteBuffer, ByteBuffer>> fetch(
            TopicPartition partition, long offset) {
        CarefulPoll<ByteBuffer, ByteBuffer> poll = open(partition);
        poll.seek(offset);
        if (offset >= poll.end()) {
            throw new JournalException(
                    Kind.DAMAGED,
                    partition + "@" + offset,
                    "the log ends before this place, at " + poll.end());
        }
        for (ConsumerRecord<ByteBuffer, ByteBuffer> found : poll.next()) {
            if (found.offset() >= offset) {
                return Optional.of(found).filter(record -> record.offset() == offset);
            }
        }
        return Optional.empty();
    }

    /// Every topic that this client may see.
    synchronized Set<String> topics() {
        try {
            return consumer().listTopics().keySet();
        } catch (KafkaException e) {
            throw KafkaFailure.of(e, cluster.location(), "list its topics");
        }
    }

    /// Where the next record of a partition will be written.
    synchronized long end(TopicPartition partition) {
        return open(partition).end();
    }

    private CarefulPoll<ByteBuffer, ByteBuffer> open(TopicPartition partition) {
        return new CarefulPoll<>(consumer(), partition, cluster);
    }

    private Consumer<ByteBuffer, ByteBuffer> consumer() {
        if (consumer == null) {
            consumer = clients.notesConsumer();
        }
        return consumer;
    }

    @Override
    public synchronized void close() {
        try {
            if (consumer != null) {
                consumer.close(CloseOptions.timeout(Clients.LEAVE));
            }
        } catch (KafkaException e) {
            // Nothing that is read can be lost by this.
        }
    }
}

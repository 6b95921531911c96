package trapline.journal.kafka;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.WakeupException;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;

/// Reads one partition on, and says what is the matter where it does not go on.
///
/// A broker that cannot read its own log may answer with errors that Kafka's consumer only repeats
/// its question at; such silence at a place where records must be is damage, too.
final class CarefulPoll<K, V> {

    private static final Duration SLICE = Duration.ofMillis(100);
    private static final Duration SILENCE = Duration.ofMillis(Clients.ANSWER_MILLIS);

    private final Consumer<K, V> consumer;
    private final TopicPartition partition;
    private final Cluster cluster;

    CarefulPoll(Consumer<K, V> consumer, TopicPartition partition, Cluster cluster) {
        this.consumer = consumer;
        this.partition = partition;
        this.cluster = cluster;
    }

    /// Goes to an offset; the consumer reads this partition only.
    void seek(long offset) {
        consumer.assign(Set.of(partition));
        consumer.seek(partition, offset);
    }

    long position() {
        return consumer.position(partition);
    }

    /// Where the next record will be written.
    long end() {
        try {
            return consumer.endOffsets(Set.of(partition)).get(partition);
        } catch (KafkaException e) {
            throw KafkaFailure.of(e, partition.toString(), "find its end");
        }
    }

    /// The next records; there are some, or the position has advanced at least.
    ///
    /// @throws WakeupException if the consumer was woken
    ConsumerRecords<K, V> next() {
        long before = position();
        long deadline = System.nanoTime() + SILENCE.toNanos();
        while (true) {
            ConsumerRecords<K, V> records = poll(before);
            if (!records.isEmpty() || position() != before) {
                return records;
            }
            Optional<JournalException> fault = cluster.fault();
            if (fault.isPresent()) {
                throw fault.get();
            }
            if (System.nanoTime() > deadline) {
                throw silent(before);
            }
        }
    }

    private ConsumerRecords<K, V> poll(long offset) {
        try {
            return consumer.poll(SLICE);
        } catch (WakeupException e) {
            throw e;
        } catch (OffsetOutOfRangeException e) {
            throw damaged(offset, "the log has no record there any more", e);
        } catch (RetriableException e) {
            throw KafkaFailure.of(e, at(offset), "read it");
        } catch (KafkaException e) {
            if (e.getClass() == KafkaException.class) {
                throw damaged(offset, "the records' bytes are damaged", e);
            }
            throw KafkaFailure.of(e, at(offset), "read it");
        } catch (RuntimeException e) {
            throw damaged(offset, "the records' bytes are damaged: " + e.getMessage(), e);
        }
    }

    private JournalException silent(long offset) {
        try {
            Map<TopicPartition, Long> ends = consumer.endOffsets(Set.of(partition));
            return damaged(
                    offset,
                    "the broker cannot read its log there (it ends at %d)"
                            .formatted(ends.get(partition)),
                    null);
        } catch (KafkaException e) {
            return KafkaFailure.of(e, at(offset), "read it");
        }
    }

    private JournalException damaged(long offset, String message, Exception cause) {
        return new JournalException(Kind.DAMAGED, at(offset), message, cause);
    }

    private String at(long offset) {
        return partition + "@" + offset;
    }
}

package trapline.journal.kafka;

import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import trapline.journal.session.Prefetch;

/// A stretch of one partition, fetched in a thread of its own while the caller still works on what
/// came before.
final class EventStream implements AutoCloseable {

    private final Consumer<Boolean, ByteBuffer> consumer;
    private final TopicPartition partition;
    private final CarefulPoll<Boolean, ByteBuffer> poll;
    private final long from;
    private final long to;
    private final Prefetch<List<ConsumerRecord<Boolean, ByteBuffer>>> fetched;
    private boolean started;
    private volatile boolean stopped;

    /// Starts to fetch.
    ///
    /// @param consumer used by nobody else until this is closed
    /// @param to the offset to stop before
    EventStream(
            Consumer<Boolean, ByteBuffer> consumer,
            TopicPartition partition,
            Cluster cluster,
            long from,
            long to) {
        this.consumer = consumer;
        this.partition = partition;
        this.from = from;
        this.to = to;
        poll = new CarefulPoll<>(consumer, partition, cluster);
        fetched = new Prefetch<>("trapline-fetch", this::fetch);
    }

    /// The next records, of every session in the partition; null at the end.
    List<ConsumerRecord<Boolean, ByteBuffer>> next() {
        return fetched.next();
    }

    /// Runs in the other thread.
    private List<ConsumerRecord<Boolean, ByteBuffer>> fetch() {
        try {
            if (!started) {
                started = true;
                poll.seek(from);
            }
            while (!stopped && poll.position() < to) {
                List<ConsumerRecord<Boolean, ByteBuffer>> records = poll();
                if (!records.isEmpty()) {
                    return records;
                }
            }
            return null;
        } catch (KafkaException e) {
            throw KafkaFailure.of(e, partition.toString(), "read it");
        }
    }

    private List<ConsumerRecord<Boolean, ByteBuffer>> poll() {
        try {
            return poll.next().records(partition);
        } catch (WakeupException e) {
            // Stopped, or left over from a stream that was.
            return List.of();
        }
    }

    /// Stops fetching; the consumer is free again.
    @Override
    public void close() {
        stopped = true;
        consumer.wakeup();
        fetched.close();
    }
}

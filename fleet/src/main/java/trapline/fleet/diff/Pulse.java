package trapline.fleet.diff;

import java.time.Duration;
import java.util.Collection;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/// Notices that brokers answer no more, which a consumer takes for there being nothing to read.
final class Pulse {

    private static final long PATIENCE = Duration.ofSeconds(60).toNanos();
    private static final long EVERY = Duration.ofSeconds(5).toNanos();
    private static final Duration ANSWER = Duration.ofSeconds(1);

    private final KafkaConsumer<?, ?> consumer;
    private final Collection<TopicPartition> partitions;
    private long answered = System.nanoTime();
    private long asked = answered;

    Pulse(KafkaConsumer<?, ?> consumer, Collection<TopicPartition> partitions) {
        this.consumer = consumer;
        this.partitions = partitions;
    }

    /// @param some whether a poll has brought records
    /// @throws TimeoutException if nothing has come for long
    void polled(boolean some) {
        long now = System.nanoTime();
        if (some) {
            answered = now;
        } else if (now - Math.max(answered, asked) > EVERY) {
            ask(now);
        }
    }

    private void ask(long now) {
        asked = now;
        try {
            var _ = consumer.endOffsets(partitions, ANSWER);
            answered = System.nanoTime();
        } catch (TimeoutException e) {
            if (now - answered > PATIENCE) {
                throw e;
            }
        }
    }
}

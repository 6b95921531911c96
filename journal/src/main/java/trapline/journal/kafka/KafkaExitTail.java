package trapline.journal.kafka;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import trapline.journal.ExitTail;
import trapline.schemas.ExitObserved;
import trapline.schemas.ExitStatistics;
import trapline.schemas.Frame;
import trapline.schemas.WireException;

/// Reads the two derived topics on from some time.
final class KafkaExitTail implements ExitTail {

    private final KafkaLog log;
    private final Consumer<ByteBuffer, ByteBuffer> consumer;
    private final Frame<ExitObserved> exits;
    private final Frame<ExitStatistics> statistics;

    /// @param ago how far back to begin
    KafkaExitTail(KafkaLog log, Duration ago) {
        this.log = log;
        consumer = log.clients().tail();
        exits = log.frame(ExitObserved.CODEC);
        statistics = log.frame(ExitStatistics.CODEC);
        try {
            begin(System.currentTimeMillis() - ago.toMillis());
        } catch (KafkaException e) {
            close();
            throw KafkaFailure.of(e, log.cluster().location(), "follow its exits");
        }
    }

    private void begin(long sinceMillis) {
        Map<TopicPartition, Long> times = new HashMap<>();
        for (String topic : List.of(log.topics().exits(), log.topics().exitStatistics())) {
            for (PartitionInfo partition : consumer.partitionsFor(topic)) {
                times.put(new TopicPartition(topic, partition.partition()), sinceMillis);
            }
        }
        consumer.assign(times.keySet());
        consumer.seekToEnd(times.keySet());
        consumer.offsetsForTimes(times)
                .forEach((partition, found) -> {
                    if (found != null) {
                        consumer.seek(partition, found.offset());
                    } else {
                        consumer.position(partition);
                    }
                });
    }

    @Override
    public Recent poll(Duration patience) {
        Recent recent = new Recent(new ArrayList<>(), new ArrayList<>());
        try {
            for (ConsumerRecord<ByteBuffer, ByteBuffer> found : consumer.poll(patience)) {
                add(found, recent);
            }
        } catch (KafkaException e) {
            throw KafkaFailure.of(e, log.cluster().location(), "follow its exits");
        }
        return recent;
    }

    private void add(ConsumerRecord<ByteBuffer, ByteBuffer> found, Recent recent) {
        try {
            if (found.topic().equals(log.topics().exits())) {
                recent.exits().add(decode(exits, found.value()));
            } else {
                recent.statistics().add(decode(statistics, found.value()));
            }
        } catch (WireException e) {
            String place = "%s-%d@%d".formatted(found.topic(), found.partition(), found.offset());
            throw KafkaFailure.of(e, place);
        }
    }

    private static <T> T decode(Frame<T> frame, ByteBuffer value) {
        return frame.decode(
                value.array(), value.arrayOffset() + value.position(), value.remaining());
    }

    @Override
    public void close() {
        try {
            consumer.close(CloseOptions.timeout(Clients.LEAVE));
        } catch (KafkaException e) {
            // Nothing that is read can be lost by this.
        }
    }
}

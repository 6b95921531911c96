package trapline.journal.kafka;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Utils;
import trapline.schemas.Codec;
import trapline.schemas.Frame;
import trapline.schemas.Framing;
import trapline.schemas.Topics;

/// Where the records of one session go, and how they look there.
///
/// @param partitions how many each topic has
record Recording(
        String session,
        Cluster cluster,
        Topics topics,
        Map<String, Integer> partitions,
        NoteWriter notes,
        Framing framing,
        Framing.Writers writers) {

    /// What a session's records have as their key.
    static byte[] key(String session) {
        return session.getBytes(StandardCharsets.UTF_8);
    }

    TopicPartition events() {
        return spread(topics.events());
    }

    TopicPartition checkpoints() {
        return spread(topics.checkpoints());
    }

    TopicPartition exits() {
        return spread(topics.exits());
    }

    TopicPartition exitStatistics() {
        return spread(topics.exitStatistics());
    }

    TopicPartition violations() {
        return spread(topics.violations());
    }

    TopicPartition interceptions() {
        return spread(topics.interceptions());
    }

    TopicPartition catalogue() {
        return new TopicPartition(topics.sessions(), 0);
    }

    <T> Frame<T> frame(Codec<T> codec) {
        return new Frame<>(codec, framing, writers);
    }

    private TopicPartition spread(String topic) {
        return new TopicPartition(topic, partition(session, partitions.get(topic)));
    }

    /// The partition that Kafka's own producers would choose for this key.
    static int partition(String session, int partitions) {
        return Utils.toPositive(Utils.murmur2(key(session))) % partitions;
    }
}

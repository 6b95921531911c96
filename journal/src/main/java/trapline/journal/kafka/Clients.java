package trapline.journal.kafka;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Deserializer;

/// Makes Kafka clients: our settings, over them the user's.
final class Clients {

    /// How long one question to a broker may take before it counts as unreachable.
    static final int ANSWER_MILLIS = 6_000;

    /// No record of ours is larger.
    static final int LARGEST_RECORD = 8 << 20;

    /// How long a client may take to leave.
    static final Duration LEAVE = Duration.ofSeconds(2);

    private final Cluster cluster;
    private final Map<String, String> overrides;

    Clients(Cluster cluster, Map<String, String> overrides) {
        this.cluster = cluster;
        this.overrides = overrides;
    }

    Admin admin() {
        Map<String, Object> settings = common();
        settings.put("request.timeout.ms", ANSWER_MILLIS / 2);
        settings.put("default.api.timeout.ms", ANSWER_MILLIS);
        return make(() -> Admin.create(with(settings)));
    }

    /// For events: many and small, in large batches.
    Producer<byte[], byte[]> events() {
        Map<String, Object> settings = producer();
        settings.put("batch.size", 256 << 10);
        settings.put("linger.ms", 5);
        settings.put("buffer.memory", 16 << 20);
        settings.put("compression.type", "lz4");
        return make(() -> new KafkaProducer<>(with(settings), BYTES, BYTES));
    }

    /// For what is written now and then, and waited for.
    Producer<byte[], byte[]> notes() {
        Map<String, Object> settings = producer();
        settings.put("linger.ms", 0);
        settings.put("buffer.memory", 4 * LARGEST_RECORD);
        settings.put("compression.type", "lz4");
        return make(() -> new KafkaProducer<>(with(settings), BYTES, BYTES));
    }

    /// For a session's events: whole batches, handed over as they are.
    ///
    /// @param session what the keys must be, which is all that is kept of them
    Consumer<Boolean, ByteBuffer> events(byte[] session) {
        Map<String, Object> settings = consumer();
        settings.put("max.poll.records", 4096);
        settings.put("max.partition.fetch.bytes", 2 << 20);
        settings.put("fetch.max.bytes", 4 << 20);
        return make(() -> new KafkaConsumer<>(with(settings), new SameAs(session), new AsIs()));
    }

    /// For the catalogue and single records.
    Consumer<ByteBuffer, ByteBuffer> notesConsumer() {
        Map<String, Object> settings = consumer();
        settings.put("max.partition.fetch.bytes", 1 << 20);
        return make(() -> new KafkaConsumer<>(with(settings), new AsIs(), new AsIs()));
    }

    /// For the derived topics, of which old parts go.
    Consumer<ByteBuffer, ByteBuffer> tail() {
        Map<String, Object> settings = consumer();
        settings.put("max.poll.records", 4096);
        settings.put("fetch.max.wait.ms", 200);
        return make(() -> new KafkaConsumer<>(with(settings), new AsIs(), new AsIs()));
    }

    private static final ByteArraySerializer BYTES = new ByteArraySerializer();

    private Map<String, Object> producer() {
        Map<String, Object> settings = common();
        settings.put("acks", "all");
        settings.put("enable.idempotence", true);
        settings.put("max.in.flight.requests.per.connection", 5);
        settings.put("delivery.timeout.ms", cluster.deliveryTimeoutMillis());
        settings.put("request.timeout.ms", cluster.deliveryTimeoutMillis() / 4);
        settings.put("max.block.ms", cluster.deliveryTimeoutMillis());
        settings.put("max.request.size", LARGEST_RECORD);
        return settings;
    }

    private Map<String, Object> consumer() {
        Map<String, Object> settings = common();
        settings.put("check.crcs", true);
        settings.put("enable.auto.commit", false);
        settings.put("auto.offset.reset", "none");
        settings.put("allow.auto.create.topics", false);
        settings.put("request.timeout.ms", ANSWER_MILLIS / 2);
        settings.put("default.api.timeout.ms", ANSWER_MILLIS);
        settings.put("receive.buffer.bytes", 1 << 20);
        // A consumer asks ahead, also at the log's end; the next question waits for that answer.
        settings.put("fetch.max.wait.ms", 10);
        return settings;
    }

    private Map<String, Object> common() {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", cluster.address());
        settings.put("client.id", "trapline");
        settings.put("metric.reporters", "");
        settings.put("enable.metrics.push", false);
        settings.put("reconnect.backoff.max.ms", 500);
        settings.put("socket.connection.setup.timeout.ms", ANSWER_MILLIS / 2);
        return settings;
    }

    private Map<String, Object> with(Map<String, Object> settings) {
        settings.putAll(overrides);
        return settings;
    }

    private <T> T make(Maker<T> maker) {
        try {
            return maker.make();
        } catch (KafkaException e) {
            throw KafkaFailure.of(e, cluster.location(), "use it");
        }
    }

    private interface Maker<T> {
        T make();
    }

    /// The record's own bytes, not copied.
    private static final class AsIs implements Deserializer<ByteBuffer> {

        @Override
        public ByteBuffer deserialize(String topic, byte[] data) {
            return data == null ? null : ByteBuffer.wrap(data);
        }

        @Override
        public ByteBuffer deserialize(String topic, Headers headers, ByteBuffer data) {
            return data;
        }
    }

    /// Whether a key is the one that is looked for.
    private record SameAs(byte[] expected) implements Deserializer<Boolean> {

        @Override
        public Boolean deserialize(String topic, byte[] data) {
            return data != null && Arrays.equals(data, expected);
        }

        @Override
        public Boolean deserialize(String topic, Headers headers, ByteBuffer data) {
            if (data == null || data.remaining() != expected.length) {
                return false;
            }
            int from = data.arrayOffset() + data.position();
            return Arrays.equals(
                    data.array(), from, from + expected.length, expected, 0, expected.length);
        }
    }
}

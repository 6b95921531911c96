import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/// Accesses to MSRs that exited, by session and MSR, with kafka-clients and avro alone.
///
/// `java -cp kafka-clients.jar:avro.jar:… ExitsConsumer.java HOST:PORT`
public class ExitsConsumer {

    private static final int HEADER = 10; // C3 01, and the schema's CRC-64-AVRO, little-endian

    public static void main(String[] args) throws Exception {
        Map<Long, Schema> schemas = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : all(args[0], "trapline.schemas")) {
            schemas.put(
                    Long.parseUnsignedLong(new String(record.key()), 16),
                    new Schema.Parser().parse(new String(record.value())));
        }
        Map<String, Long> accesses = new TreeMap<>();
        for (ConsumerRecord<byte[], byte[]> record : all(args[0], "trapline.exits")) {
            GenericRecord exit = decode(record.value(), schemas);
            if (exit.get("msr") != null) {
                String access =
                        "%s 0x%x %s"
                                .formatted(
                                        exit.get("session"),
                                        (long) exit.get("msr"),
                                        (boolean) exit.get("write") ? "write" : "read");
                accesses.merge(access, 1L, Long::sum);
            }
        }
        accesses.forEach((access, count) -> System.out.println(access + " " + count));
    }

    private static GenericRecord decode(byte[] value, Map<Long, Schema> schemas) throws Exception {
        long fingerprint = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN).getLong(2);
        var body = DecoderFactory.get().binaryDecoder(value, HEADER, value.length - HEADER, null);
        return new GenericDatumReader<GenericRecord>(schemas.get(fingerprint)).read(null, body);
    }

    /// What a topic has now. Who wants to follow it polls on.
    private static List<ConsumerRecord<byte[], byte[]>> all(String address, String topic) {
        Map<String, Object> settings =
                Map.of("bootstrap.servers", address, "enable.auto.commit", false);
        try (var consumer =
                new KafkaConsumer<>(
                        settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions =
                    consumer.partitionsFor(topic).stream()
                            .map(info -> new TopicPartition(topic, info.partition()))
                            .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            List<ConsumerRecord<byte[], byte[]>> found = new java.util.ArrayList<>();
            while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
                consumer.poll(Duration.ofMillis(100)).forEach(found::add);
            }
            return found;
        }
    }
}

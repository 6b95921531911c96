package trapline.verify;

import static org.apache.kafka.clients.consumer.ConsumerConfig.AUTO_OFFSET_RESET_CONFIG;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.testcontainers.kafka.KafkaContainer;

/// Apache Kafka as its own image: the broker that users run.
@Containers
class KafkaContainerIT {

    private static final String TOPIC = "round-trip";
    private static final KafkaContainer KAFKA = new KafkaContainer("apache/kafka:4.3.1");

    @BeforeAll
    static void start() {
        KAFKA.start();
    }

    @AfterAll
    static void stop() {
        KAFKA.stop();
    }

    @Test
    void returnsRecordsInOrder() throws Exception {
        List<String> sent = IntStream.range(0, 10).mapToObj(i -> "record " + i).toList();
        try (Admin admin = Admin.create(server())) {
            admin.createTopics(List.of(new NewTopic(TOPIC, 1, (short) 1))).all().get();
        }
        send(sent);
        assertEquals(sent, receive(sent.size()));
    }

    private static void send(List<String> values) throws Exception {
        try (var producer =
                new KafkaProducer<>(server(), new StringSerializer(), new StringSerializer())) {
            for (String value : values) {
                producer.send(new ProducerRecord<>(TOPIC, value)).get();
            }
        }
    }

    private static List<String> receive(int count) {
        List<String> values = new ArrayList<>();
        Instant deadline = Instant.now().plusSeconds(30);
        Map<String, Object> settings = server(AUTO_OFFSET_RESET_CONFIG, "earliest");
        try (var consumer =
                new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(List.of(new TopicPartition(TOPIC, 0)));
            while (values.size() < count && Instant.now().isBefore(deadline)) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofSeconds(1))) {
                    values.add(record.value());
                }
            }
        }
        return values;
    }

    private static Map<String, Object> server() {
        return Map.of("bootstrap.servers", KAFKA.getBootstrapServers());
    }

    private static Map<String, Object> server(String setting, Object value) {
        return Map.of("bootstrap.servers", KAFKA.getBootstrapServers(), setting, value);
    }
}

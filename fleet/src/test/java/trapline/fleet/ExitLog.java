package trapline.fleet;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import trapline.engine.event.Stamp;
import trapline.engine.event.Stamp.Scope;
import trapline.engine.state.Vendor;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.journal.broker.FolderBroker;
import trapline.journal.kafka.KafkaSite;
import trapline.schemas.ExitObserved;
import trapline.schemas.ExitObserved.Effort;
import trapline.schemas.ExitObserved.Reason;
import trapline.schemas.ExitObserved.Subject;
import trapline.schemas.ExitWindow;
import trapline.schemas.Frame;

/// A broker of this process with a log whose exits the test writes, and whose windows it reads.
final class ExitLog implements AutoCloseable {

    final FolderBroker broker;
    final Journal journal;
    final KafkaSite site;
    private final Frame<ExitObserved> frame;
    private final KafkaProducer<byte[], byte[]> producer;

    ExitLog(Path folder) {
        broker = Journals.broker(folder);
        journal = Journals.open(name(), Optional.empty());
        site = Worker.site(journal);
        frame = site.frame(ExitObserved.CODEC);
        producer =
                new KafkaProducer<>(
                        Map.of("bootstrap.servers", broker.address(), "linger.ms", 5),
                        new ByteArraySerializer(),
                        new ByteArraySerializer());
    }

    /// As a user writes it.
    String name() {
        return "kafka:" + broker.address();
    }

    static ExitObserved exit(
            String session, int vcpu, long order, Reason reason, Subject subject, long millis) {
        return new ExitObserved(
                session,
                new Stamp(order, vcpu, 0, vcpu, Scope.VCPU, order, order, 0),
                1,
                reason,
                0,
                subject,
                new Effort(false, 4, 2, 3, 1, false),
                millis,
                ExitObserved.Took.UNKNOWN);
    }

    static Reason reason(long number, String name) {
        return new Reason(Vendor.VMX, number, name, 0);
    }

    static Subject msr(int msr, boolean write) {
        return new Subject(Optional.of(msr), Optional.of(write), Optional.empty());
    }

    void write(ExitObserved exit) {
        write(exit.session(), frame.encode(exit));
    }

    void write(String session, byte[] record) {
        var _ =
                producer.send(
                        new ProducerRecord<>(
                                site.topics().exits(),
                                session.getBytes(StandardCharsets.UTF_8),
                                record));
    }

    void flush() {
        producer.flush();
    }

    byte[] record(ExitObserved exit) {
        return frame.encode(exit);
    }

    /// The newest record of each key that was committed.
    Map<String, ExitWindow> windows() {
        Map<String, ExitWindow> windows = new TreeMap<>();
        Frame<ExitWindow> windowFrame = site.frame(ExitWindow.CODEC);
        committed(site.topics().exitWindows())
                .forEach((key, value) -> windows.put(key, windowFrame.decode(value)));
        return windows;
    }

    /// Whether no worker has made the topic of windows yet.
    boolean windowsTopicMissing() {
        return site.partitions(site.topics().exitWindows()) == 0;
    }

    private Map<String, byte[]> committed(String topic) {
        Map<String, byte[]> newest = new HashMap<>();
        try (KafkaConsumer<String, byte[]> consumer =
                new KafkaConsumer<>(
                        Map.of(
                                "bootstrap.servers",
                                broker.address(),
                                "isolation.level",
                                "read_committed"),
                        new StringDeserializer(),
                        new ByteArrayDeserializer())) {
            List<TopicPartition> partitions =
                    consumer.partitionsFor(topic).stream()
                            .map(info -> new TopicPartition(topic, info.partition()))
                            .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
                consumer.poll(Duration.ofMillis(100))
                        .forEach(found -> newest.put(found.key(), found.value()));
            }
        }
        return newest;
    }

    @Override
    public void close() {
        producer.close();
        journal.close();
        broker.close();
    }
}

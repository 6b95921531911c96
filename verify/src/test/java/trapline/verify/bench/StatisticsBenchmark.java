package trapline.verify.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import trapline.cli.Main;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.journal.kafka.KafkaJournal;
import trapline.journal.kafka.KafkaSite;
import trapline.schemas.ExitWindow;
import trapline.schemas.Frame;

/// From the topic of exits to committed windows by one worker, against Kafka's consumer perf tool
/// over the same topic.
final class StatisticsBenchmark implements Benchmarks.Benchmark {

    private static final int RUNS = 5;
    private static final int SESSIONS = 4;
    private static final long EXITS = 1_000_000;
    private static final String APPLICATION = "trapline-statistics";
    private static final String CHANGELOG = APPLICATION + "-windows-changelog";

    @Override
    public Map<String, Object> run() throws Exception {
        List<Double> ours = new ArrayList<>();
        List<Double> tool = new ArrayList<>();
        try (Broker broker = new Broker()) {
            String log = "kafka:" + broker.address();
            for (int i = 0; i < SESSIONS; i++) {
                Child.task("512m", "load", log, "0", Long.toString(EXITS));
            }
            for (int i = 0; i < RUNS + 1; i++) {
                double rate = count(broker.address(), log);
                double read =
                        KafkaTools.consume(broker.address(), "trapline.exits", SESSIONS * EXITS);
                forget(broker.address());
                if (i > 0) {
                    ours.add(rate);
                    tool.add(read);
                }
            }
        }
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("baseline", "kafka-consumer-perf-test over the same topic");
        result.put("atLeast", 0.5);
        result.put("ratio", Figures.rounded(Figures.ratio(new Figures(ours), new Figures(tool))));
        result.put("exitsPerSecond", new Figures(ours).tree());
        result.put("baselineRecordsPerSecond", new Figures(tool).tree());
        return result;
    }

    /// Exits per second from the first one counted to the last one committed.
    private static double count(String address, String log) throws Exception {
        try (Journal journal = Journals.openReadOnly(log, Optional.empty());
                Child worker =
                        Child.ours(
                                "256m",
                                Main.class,
                                "worker",
                                "--only",
                                "statistics",
                                "--format",
                                "json",
                                "--log",
                                log);
                KafkaConsumer<String, byte[]> windows = consumer(address)) {
            StringBuilder started = new StringBuilder(worker.line());
            while (started.charAt(started.length() - 1) != '}') {
                started.append(worker.line());
            }
            JsonNode document = Json.read(started.toString());
            if (!document.has("url")) {
                throw new IllegalStateException(started.toString());
            }
            KafkaSite site = ((KafkaJournal) journal).site();
            return followed(windows, site);
        }
    }

    private static double followed(KafkaConsumer<String, byte[]> windows, KafkaSite site) {
        Frame<ExitWindow> frame = site.frame(ExitWindow.CODEC);
        String topic = site.topics().exitWindows();
        List<TopicPartition> partitions = new ArrayList<>();
        for (int i = 0; i < site.partitions(topic); i++) {
            partitions.add(new TopicPartition(topic, i));
        }
        windows.assign(partitions);
        windows.seekToBeginning(partitions);
        Map<String, Long> minutes = new HashMap<>();
        long start = 0;
        long first = 0;
        long total = 0;
        while (total < SESSIONS * EXITS) {
            for (ConsumerRecord<String, byte[]> found : windows.poll(Duration.ofMillis(20))) {
                ExitWindow window = frame.decode(found.value());
                if (window.sizeMillis() == 60_000) {
                    minutes.put(found.key(), window.exits());
                }
            }
            total = minutes.values().stream().mapToLong(count -> count).sum();
            if (start == 0 && total > 0) {
                start = System.nanoTime();
                first = total;
            }
        }
        return (total - first) * 1e9 / (System.nanoTime() - start);
    }

    private static KafkaConsumer<String, byte[]> consumer(String address) {
        return new KafkaConsumer<>(
                Map.of("bootstrap.servers", address, "isolation.level", "read_committed"),
                new StringDeserializer(),
                new ByteArrayDeserializer());
    }

    /// So that the next worker begins with nothing.
    private static void forget(String address) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", address))) {
            for (int attempt = 0; ; attempt++) {
                try {
                    admin.deleteConsumerGroups(List.of(APPLICATION)).all().get();
                    break;
                } catch (ExecutionException e) {
                    if (attempt == 60) {
                        throw e;
                    }
                    Thread.sleep(500);
                }
            }
            admin.deleteTopics(List.of("trapline.exit-windows", CHANGELOG)).all().get();
            Thread.sleep(1_000);
        }
    }
}

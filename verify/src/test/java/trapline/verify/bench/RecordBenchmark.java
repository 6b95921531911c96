package trapline.verify.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;

/// A session into a broker, against Kafka's producer perf tool into a topic beside.
final class RecordBenchmark implements Benchmarks.Benchmark {

    private static final int RUNS = 5;
    private static final long EVENTS = 2_000_000;
    private static final int KEY_BYTES = 10;

    @Override
    public Map<String, Object> run() throws Exception {
        List<byte[]> records = DecodeBenchmark.records();
        int size =
                KEY_BYTES
                        + (int)
                                Math.round(
                                        records.stream()
                                                .mapToInt(r -> r.length)
                                                .average()
                                                .orElseThrow());
        List<Double> ours = new ArrayList<>();
        List<Double> cold = new ArrayList<>();
        List<Double> tool = new ArrayList<>();
        List<Double> coldTool = new ArrayList<>();
        try (Broker broker = new Broker()) {
            topic(broker.address(), "perf");
            for (int i = 0; i < RUNS; i++) {
                JsonNode run =
                        Child.task(
                                "1g", "record", "kafka:" + broker.address(), Long.toString(EVENTS));
                ours.add(run.get("eventsPerSecond").asDouble());
                cold.add(run.get("coldEventsPerSecond").asDouble());
                coldTool.add(KafkaTools.produce(broker.address(), "perf", EVENTS, 0, size));
                tool.add(KafkaTools.produce(broker.address(), "perf", EVENTS, EVENTS, size));
            }
        }
        Map<String, Object> result = new LinkedHashMap<>();
        result.put(
                "baseline",
                "kafka-producer-perf-test, same record size, count and settings, a new process each");
        result.put("atLeast", 0.9);
        result.put(
                "ratio", Figures.rounded(Figures.ratio(new Figures(cold), new Figures(coldTool))));
        result.put("eventsPerSecond", new Figures(cold).tree());
        result.put("baselineRecordsPerSecond", new Figures(coldTool).tree());
        result.put(
                "secondSessionRatio",
                Figures.rounded(Figures.ratio(new Figures(ours), new Figures(tool))));
        result.put("secondSessionEventsPerSecond", new Figures(ours).tree());
        result.put("warmBaselineRecordsPerSecond", new Figures(tool).tree());
        result.put("bytesPerRecord", size);
        return result;
    }

    static void topic(String address, String name) throws Exception {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", address);
        try (Admin admin = Admin.create(properties)) {
            admin.createTopics(List.of(new NewTopic(name, 1, (short) 1))).all().get();
        }
    }
}

package trapline.verify.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// State from a broker's log, against Kafka's consumer perf tool over the same records.
final class RebuildBenchmark implements Benchmarks.Benchmark {

    private static final int RUNS = 5;
    private static final long EVENTS = 2_000_000;

    @Override
    public Map<String, Object> run() throws Exception {
        List<Double> ours = new ArrayList<>();
        List<Double> warm = new ArrayList<>();
        List<Double> tool = new ArrayList<>();
        try (Broker broker = new Broker()) {
            String log = "kafka:" + broker.address();
            JsonNode recorded = Child.task("1g", "record", log, Long.toString(EVENTS));
            String session = recorded.get("session").asText();
            long events = recorded.get("events").asLong();
            for (int i = 0; i < RUNS + 1; i++) {
                JsonNode run = Child.task("1g", "rebuild", log, session);
                double rate = KafkaTools.consume(broker.address(), "trapline.events", events);
                if (i > 0) {
                    ours.add(run.get("coldEventsPerSecond").asDouble());
                    warm.add(run.get("eventsPerSecond").asDouble());
                    tool.add(rate);
                }
            }
        }
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("baseline", "kafka-consumer-perf-test over the same topic");
        result.put("atLeast", 0.8);
        result.put("ratio", Figures.rounded(Figures.ratio(new Figures(ours), new Figures(tool))));
        result.put("eventsPerSecond", new Figures(ours).tree());
        result.put("secondTimeEventsPerSecond", new Figures(warm).tree());
        result.put("baselineRecordsPerSecond", new Figures(tool).tree());
        return result;
    }
}

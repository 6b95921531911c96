package trapline.verify.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The engine without a sink, on both vendors.
final class EngineBenchmark implements Benchmarks.Benchmark {

    private static final int RUNS = 5;

    @Override
    public Map<String, Object> run() throws IOException, InterruptedException {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("baseline", "none");
        result.put("atLeastEventsPerSecond", 3_000_000);
        for (String cpu : List.of("Icelake-Server", "EPYC-Milan")) {
            List<Double> events = new ArrayList<>();
            List<Double> ops = new ArrayList<>();
            for (int i = 0; i < RUNS; i++) {
                JsonNode run = Child.task("1g", "engine", cpu, "4000000");
                events.add(run.get("eventsPerSecond").asDouble());
                ops.add(run.get("opsPerSecond").asDouble());
            }
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("eventsPerSecond", new Figures(events).tree());
            row.put("guestOpsPerSecond", new Figures(ops).tree());
            result.put(cpu, row);
        }
        return result;
    }
}

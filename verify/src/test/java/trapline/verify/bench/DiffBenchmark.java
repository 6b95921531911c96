package trapline.verify.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A diff from a container file, against the engine alone under one policy.
final class DiffBenchmark implements Benchmarks.Benchmark {

    private static final int RUNS = 5;
    private static final long EVENTS = 8_000_000;

    @Override
    public Map<String, Object> run() throws Exception {
        List<Double> ours = new ArrayList<>();
        List<Double> engine = new ArrayList<>();
        List<Double> cold = new ArrayList<>();
        List<Double> coldEngine = new ArrayList<>();
        Path folder = Files.createTempDirectory("trapline-bench");
        try {
            String log = "file:" + folder;
            String session =
                    Child.task("1g", "record", log, Long.toString(EVENTS)).get("session").asText();
            for (int i = 0; i < RUNS; i++) {
                JsonNode run = Child.task("1g", "diff", log, session, "kvm-6.1,spec-ctrl=v4");
                JsonNode alone =
                        Child.task("1g", "engine", "Icelake-Server", Long.toString(EVENTS));
                ours.add(run.get("opsPerSecond").asDouble());
                engine.add(alone.get("opsPerSecond").asDouble());
                cold.add(run.get("coldOpsPerSecond").asDouble());
                coldEngine.add(alone.get("coldOpsPerSecond").asDouble());
            }
        } finally {
            Broker.delete(folder);
        }
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("baseline", "engine alone, one policy, both warmed up");
        result.put("atLeast", 0.4);
        result.put("ratio", Figures.rounded(Figures.ratio(new Figures(ours), new Figures(engine))));
        result.put("guestOpsPerSecond", new Figures(ours).tree());
        result.put("baselineGuestOpsPerSecond", new Figures(engine).tree());
        result.put(
                "firstTimeRatio",
                Figures.rounded(Figures.ratio(new Figures(cold), new Figures(coldEngine))));
        result.put("firstTimeGuestOpsPerSecond", new Figures(cold).tree());
        return result;
    }
}

package trapline.verify.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Recording, verifying and diffing in a heap of 256 MiB, broker included, short session and long.
final class MemoryBenchmark implements Benchmarks.Benchmark {

    private static final String HEAP = "256m";

    @Override
    public Map<String, Object> run() throws Exception {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("heap", HEAP);
        for (String events : List.of("100000", "10000000")) {
            Path folder = Files.createTempDirectory("trapline-bench");
            try {
                String log = "embedded:" + folder;
                JsonNode recorded = Child.task(HEAP, "record", log, events);
                String session = recorded.get("session").asText();
                JsonNode verified = Child.task(HEAP, "verify", log, session);
                JsonNode compared = Child.task(HEAP, "diff", log, session, "kvm-6.1,spec-ctrl=v4");
                Map<String, Object> row = new LinkedHashMap<>();
                row.put("record", recorded);
                row.put("verify", verified);
                row.put("diff", compared);
                result.put(events, row);
            } finally {
                Broker.delete(folder);
            }
        }
        return result;
    }
}

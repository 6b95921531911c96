package trapline.verify.bench;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Runs one benchmark or all and prints a JSON object for each, on a line of its own.
///
/// `./mvnw -q -Pbench verify [-Dbench=NAME]`
public final class Benchmarks {

    private static final Map<String, Benchmark> ALL = new LinkedHashMap<>();

    static {
        ALL.put("engine", new EngineBenchmark());
        ALL.put("decode", new DecodeBenchmark());
        ALL.put("record", new RecordBenchmark());
        ALL.put("rebuild", new RebuildBenchmark());
        ALL.put("diff", new DiffBenchmark());
        ALL.put("seek", new SeekBenchmark());
        ALL.put("memory", new MemoryBenchmark());
        ALL.put("import", new ImportBenchmark());
        ALL.put("stat", new StatBenchmark());
        ALL.put("explorer", new ExplorerBenchmark());
        ALL.put("statistics", new StatisticsBenchmark());
        ALL.put("fleet", new FleetBenchmark());
        ALL.put("page", new PageBenchmark());
    }

    private Benchmarks() {}

    public static void main(String[] args) throws Exception {
        String name = args.length == 0 ? "all" : args[0];
        if (!name.equals("all") && !ALL.containsKey(name)) {
            System.err.println("unknown benchmark " + name + "; there are " + ALL.keySet());
            System.exit(2);
        }
        List<String> names = name.equals("all") ? List.copyOf(ALL.keySet()) : List.of(name);
        for (String each : names) {
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("benchmark", each);
            result.putAll(ALL.get(each).run());
            System.out.println(Json.of(result));
        }
    }

    /// Something measured.
    interface Benchmark {
        Map<String, Object> run() throws Exception;
    }
}

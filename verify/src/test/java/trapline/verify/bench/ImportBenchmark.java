package trapline.verify.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import trapline.engine.event.ObservedEvent.MsrLogged;
import trapline.engine.event.ObservedEvent.TraceClock;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;
import trapline.recorder.trace.TraceFormat;
import trapline.recorder.trace.TraceReader;
import trapline.recorder.trace.TraceSink;

/// `import` of an ftrace text into a container file, against a gawk script that only counts MSRs of the same text.
final class ImportBenchmark implements Benchmarks.Benchmark {

    private static final int RUNS = 5;
    private static final long BYTES = 200L << 20;
    private static final String HEAP = "256m";
    private static final String SCRIPT =
            "/kvm_msr:/ {n[$(NF - 2)]++} END {for (k in n) print n[k], k}";

    @Override
    public Map<String, Object> run() throws Exception {
        Path folder = Files.createTempDirectory("trapline-bench");
        try {
            return run(folder);
        } finally {
            delete(folder);
        }
    }

    private static Map<String, Object> run(Path folder) throws Exception {
        Path trace = folder.resolve("trace.txt");
        long lines = TraceWorkload.write(trace, BYTES);
        List<Double> ours = new ArrayList<>();
        List<Double> parsing = new ArrayList<>();
        List<Double> script = new ArrayList<>();
        for (int i = 0; i < RUNS; i++) {
            Path log = folder.resolve("log" + i);
            ours.add(
                    lines
                            / Commands.seconds(
                                    Commands.trapline(
                                            "--log",
                                            "file:" + log,
                                            "--quiet",
                                            "import",
                                            trace.toString())));
            delete(log);
            script.add(lines / Commands.seconds(List.of("gawk", SCRIPT, trace.toString())));
            parsing.add(
                    Child.task(HEAP, "parse", trace.toString()).get("linesPerSecond").asDouble());
        }
        Map<String, Object> result = new LinkedHashMap<>();
        result.put(
                "baseline", "gawk that counts kvm_msr by index, the same file, a new process each");
        result.put("atLeast", 1.0);
        result.put("ratio", Figures.rounded(Figures.ratio(new Figures(ours), new Figures(script))));
        result.put("linesPerSecond", new Figures(ours).tree());
        result.put("baselineLinesPerSecond", new Figures(script).tree());
        result.put("parsedOnlyLinesPerSecond", new Figures(parsing).tree());
        result.put("lines", lines);
        result.put("bytes", Files.size(trace));
        return result;
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(file);
            }
        }
    }

    /// Lines a second without any session: the share of reading.
    static double parse(String file) {
        Count count = new Count();
        long start = System.nanoTime();
        long lines = TraceReader.of(file).read(count).lines();
        double seconds = (System.nanoTime() - start) / 1e9;
        if (count.hits == 0) {
            throw new IllegalStateException();
        }
        return lines / seconds;
    }

    private static final class Count implements TraceSink {
        private long hits;

        @Override
        public void opened(TraceFormat format, TraceClock clock) {}

        @Override
        public void thread(int thread, int process, String name) {}

        @Override
        public void hit(int cpu, int thread, long time, Tracepoint point, TraceFields fields) {
            hits++;
        }

        @Override
        public void msr(int vcpu, MsrLogged logged) {}

        @Override
        public void lost(int cpu, long time, long count) {}
    }
}

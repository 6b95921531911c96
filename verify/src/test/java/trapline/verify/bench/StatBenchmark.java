package trapline.verify.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import trapline.verify.TraceDat;

/// `stat` straight from the text of a trace, against `trace-cmd report` that prints the same events to nowhere.
final class StatBenchmark implements Benchmarks.Benchmark {

    private static final int RUNS = 5;
    private static final int EXITS = 500_000;
    private static final int[] REASONS = {32, 32, 1, 48, 30};

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
        Path recording = folder.resolve("trace.dat");
        record(recording);
        Path text = folder.resolve("trace.txt");
        List<String> report = List.of("trace-cmd", "report", "-N", recording.toString());
        Commands.seconds(report, text);
        long lines;
        try (Stream<String> all = Files.lines(text)) {
            lines = all.count();
        }
        List<Double> ours = new ArrayList<>();
        List<Double> tool = new ArrayList<>();
        for (int i = 0; i < RUNS; i++) {
            ours.add(
                    lines
                            / Commands.seconds(
                                    Commands.trapline("--quiet", "stat", text.toString())));
            tool.add(lines / Commands.seconds(report));
        }
        Map<String, Object> result = new LinkedHashMap<>();
        result.put(
                "baseline",
                "trace-cmd report -N of the same events to /dev/null, a new process each");
        result.put("atLeast", 3.0);
        result.put("ratio", Figures.rounded(Figures.ratio(new Figures(ours), new Figures(tool))));
        result.put("linesPerSecond", new Figures(ours).tree());
        result.put("baselineLinesPerSecond", new Figures(tool).tree());
        result.put("lines", lines);
        return result;
    }

    private static void record(Path file) throws IOException {
        TraceDat recording = new TraceDat(4);
        SplittableRandom random = new SplittableRandom(1);
        long[] times = new long[4];
        for (int vcpu = 0; vcpu < 4; vcpu++) {
            recording.task(4000 + vcpu, "CPU " + vcpu + "/KVM");
            times[vcpu] = 1_655_000_000_000L + vcpu;
        }
        for (int i = 0; i < EXITS; i++) {
            int vcpu = random.nextInt(4);
            int thread = 4000 + vcpu;
            long rip = 0xffff_ffff_8100_0000L + random.nextInt(1 << 23);
            int reason = REASONS[random.nextInt(REASONS.length)];
            times[vcpu] += 2000;
            recording.exit(vcpu, times[vcpu], thread, vcpu, 1, reason, rip, 0, 0);
            if (reason == 32) {
                recording.msr(
                        vcpu, times[vcpu] + 500, thread, true, 0x6e0, random.nextInt(), false);
            } else if (reason == 30) {
                recording.pio(vcpu, times[vcpu] + 500, thread, true, 0x3f8, random.nextInt(256));
            }
            recording.entry(vcpu, times[vcpu] + 1000, thread, vcpu, rip + 2);
        }
        recording.write(file);
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(file);
            }
        }
    }
}

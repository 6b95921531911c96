package trapline.verify.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// A JVM of its own for a measurement, so that none warms the other up.
final class Child implements AutoCloseable {

    private final Process process;
    private final BufferedReader output;

    private Child(Process process) {
        this.process = process;
        output = process.inputReader(StandardCharsets.UTF_8);
    }

    /// One of ours, with the JVM that users have: its options, its cache, its jars.
    static Child ours(String heap, Class<?> main, String... arguments) throws IOException {
        File dist = new File(System.getProperty("trapline.dist"));
        List<String> options =
                List.of(
                        "@" + new File(dist, "jvm.options"),
                        "-XX:AOTCache=" + new File(dist, "trapline.aot"),
                        "-Xmx" + heap);
        String path = new File(dist, "lib/trapline-cli.jar") + File.pathSeparator + own();
        return start(options, path, main.getName(), arguments);
    }

    /// One of Kafka's tools.
    static Child tool(String heap, String main, String... arguments) throws IOException {
        List<String> options =
                List.of(
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-XX:+UseSerialGC",
                        "-Xmx" + heap);
        return start(options, System.getProperty("java.class.path"), main, arguments);
    }

    private static Child start(
            List<String> options, String classPath, String main, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(new File(System.getProperty("java.home"), "bin/java").getPath());
        command.addAll(options);
        command.addAll(List.of("-cp", classPath, main));
        command.addAll(List.of(arguments));
        return new Child(
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start());
    }

    /// Where the benchmarks' own classes are.
    private static String own() {
        return Child.class.getProtectionDomain().getCodeSource().getLocation().getPath();
    }

    /// The next line it prints.
    String line() throws IOException {
        String line = output.readLine();
        if (line == null) {
            throw new IOException("the process ended: " + process.onExit().join().exitValue());
        }
        return line;
    }

    /// All it prints to its end.
    List<String> lines() throws IOException, InterruptedException {
        List<String> lines = output.lines().toList();
        int code = process.waitFor();
        if (code != 0) {
            throw new IOException("the process ended with " + code);
        }
        return lines;
    }

    /// A task's result: its last line.
    static JsonNode task(String heap, String... arguments)
            throws IOException, InterruptedException {
        try (Child child = ours(heap, Task.class, arguments)) {
            return Json.read(child.lines().getLast());
        }
    }

    @Override
    public void close() {
        process.destroy();
        process.onExit().join();
    }
}

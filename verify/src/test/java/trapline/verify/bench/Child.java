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

    static Child start(String heap, String main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(new File(System.getProperty("java.home"), "bin/java").getPath());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("--sun-misc-unsafe-memory-access=allow");
        command.add("-XX:+UseSerialGC");
        command.add("-Xmx" + heap);
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(main);
        command.addAll(List.of(arguments));
        return new Child(
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start());
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
        try (Child child = start(heap, Task.class.getName(), arguments)) {
            return Json.read(child.lines().getLast());
        }
    }

    @Override
    public void close() {
        process.destroy();
        process.onExit().join();
    }
}

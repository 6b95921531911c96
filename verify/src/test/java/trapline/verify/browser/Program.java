package trapline.verify.browser;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// The program as users have it, as processes of its own on one log.
final class Program {

    private static final Path LAUNCHER =
            Path.of("../cli/target/dist/trapline").toAbsolutePath().normalize();
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path folder;
    private final String log;

    /// @param folder for what processes say on standard error
    Program(Path folder, String log) {
        this.folder = folder;
        this.log = log;
    }

    /// Runs one command to its end, which has to be a good one.
    JsonNode json(String... words) {
        return read(run(with(words, "--format", "json")));
    }

    /// The events of a session, one object each.
    List<JsonNode> events(String session) {
        return run(with(new String[] {"events", session}, "--format", "json"))
                .lines()
                .map(Program::read)
                .toList();
    }

    private String run(List<String> command) {
        try {
            Path errors = Files.createTempFile(folder, "errors", ".txt");
            Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
            String out = new String(process.getInputStream().readAllBytes(), UTF_8);
            int code = process.waitFor();
            assertEquals(0, code, command + ": " + Files.readString(errors));
            return out;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /// Starts a command that goes on by itself.
    Process start(String... words) throws IOException {
        Path errors = Files.createTempFile(folder, "errors", ".txt");
        return new ProcessBuilder(with(words))
                .redirectError(errors.toFile())
                .redirectOutput(Files.createTempFile(folder, "output", ".txt").toFile())
                .start();
    }

    /// Serves the page until it is closed.
    Served serve(String listen, String... more) throws IOException {
        Path errors = Files.createTempFile(folder, "errors", ".txt");
        Process process =
                new ProcessBuilder(with(new String[] {"serve", "--listen", listen}, more))
                        .redirectError(errors.toFile())
                        .start();
        BufferedReader out = process.inputReader(UTF_8);
        String url = out.readLine();
        if (url == null) {
            throw new AssertionError("serve ended: " + Files.readString(errors));
        }
        return new Served(process, url.replaceAll("/$", ""));
    }

    /// A page that is being served at an address without a slash at its end.
    record Served(Process process, String url) implements AutoCloseable {

        @Override
        public void close() {
            process.destroy();
            try {
                if (!process.waitFor(20, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }

    private List<String> with(String[] words, String... more) {
        List<String> command = new ArrayList<>(List.of(LAUNCHER.toString()));
        command.addAll(List.of(words));
        command.addAll(List.of("--log", log));
        command.addAll(List.of(more));
        return command;
    }

    private static JsonNode read(String text) {
        try {
            return JSON.readTree(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

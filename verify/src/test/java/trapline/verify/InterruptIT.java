package trapline.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Ctrl-C while commands run: they end in order, with the exit code that a shell expects, and what was
/// recorded until then is kept.
@Timeout(120)
class InterruptIT {

    private static final Path TRAPLINE =
            Path.of("../cli/target/dist/trapline").toAbsolutePath().normalize();
    private static final Path GNU_ENV = Path.of("/usr/bin/env");
    private static final Pattern TORN =
            Pattern.compile("interrupted, the session is torn: ([0-9,]+) events, .*\\R");
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir Path directory;

    private final List<Command> started = new ArrayList<>();

    @BeforeEach
    void writeGuest() throws IOException {
        Files.writeString(
                directory.resolve("long.yaml"),
                """
                scenario: long
                program:
                  - repeat: 1000000000
                    do:
                      - run: 1000
                      - cpuid: {leaf: 1}
                      - wrmsr: {msr: IA32_SPEC_CTRL, value: 0x5}
                """);
    }

    @AfterEach
    void endAll() {
        started.forEach(command -> command.process.destroyForcibly());
    }

    @ParameterizedTest
    @CsvSource({"INT, 130", "TERM, 143"})
    void recordLeavesATornSessionThatIsWholeAsFarAsItGoes(String signal, int code)
            throws Exception {
        String log = "file:" + directory.resolve("log");
        Command record = start("record", "--guest", "long.yaml", "--log", log);
        awaitRecorded("log", 100_000);
        record.signal(signal);
        assertEquals(code, record.await());
        assertTorn(record, log);
    }

    @Test
    void diffEndsAtOnceAndAnswersNothing() throws Exception {
        String log = "file:" + directory.resolve("log");
        Command record = start("record", "--guest", "long.yaml", "--log", log);
        awaitRecorded("log", 10_000_000);
        record.signal("INT");
        assertEquals(130, record.await());
        Command diff = start("diff", "last", "--candidate", "kvm-6.1,spec-ctrl=v4", "--log", log);
        Thread.sleep(1000);
        diff.signal("INT");
        assertEquals(130, diff.await());
        assertEquals("", diff.out());
        assertFalse(diff.err().contains("\tat "), diff.err());
        assertEquals("torn", session(log).get("status").textValue());
    }

    /// Who only looks on goes without the recorder taking notice.
    @Test
    void followEndsAndTheRecorderGoesOn() throws Exception {
        String log = "embedded:" + directory.resolve("log");
        Command record = start("record", "--guest", "long.yaml", "--log", log);
        awaitRecorded("log", 100_000);
        Command follow = start("events", "last", "--follow", "--format", "json", "--log", log);
        await(() -> Files.size(follow.outFile) > 10_000);
        follow.signal("INT");
        assertEquals(130, follow.await());
        assertEquals("", follow.err());
        String out = follow.out();
        assertTrue(out.endsWith("}\n"), "a line that was cut: " + out.substring(out.length() - 80));
        assertEquals(out.lines().count(), order(out.lines().toList().getLast()));
        assertTrue(record.process.isAlive());
        record.signal("INT");
        assertEquals(130, record.await());
        assertTorn(record, log);
    }

    /// The pipe stays open, and what came out of it is there before it ends.
    @Test
    void aFollowedTraceIsClosedWhole() throws Exception {
        String log = "embedded:" + directory.resolve("log");
        Path pipe = directory.resolve("trace_pipe");
        assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
        Command follow = start("import", "--follow", pipe.toString(), "--log", log);
        try (Writer tracer = Files.newBufferedWriter(pipe)) {
            for (int i = 0; i < 100; i++) {
                tracer.write("qemu-50 [003] d..1 10.%06d: kvm_entry: vcpu 0\n".formatted(i));
            }
            tracer.flush();
            await(() -> lengthBytes(directory.resolve("log")) > 0);
            // The trace's beginning, its thread and the entries.
            String seen = "";
            while (seen.lines().count() < 102) {
                Command events = start("events", "last", "--log", log);
                seen = events.await() == 0 ? events.out() : "";
            }
            follow.signal("INT");
            assertEquals(130, follow.await());
        }
        JsonNode session = session(log);
        assertEquals("closed", session.get("status").textValue());
        assertEquals(102, session.get("events").longValue());
    }

    /// The recorder's last word, the catalogue and the events themselves agree.
    private void assertTorn(Command record, String log) throws Exception {
        Matcher said = TORN.matcher(record.err());
        assertTrue(said.matches(), record.err());
        long events = Long.parseLong(said.group(1).replace(",", ""));
        assertTrue(events > 0);
        JsonNode session = session(log);
        assertEquals(record.out().strip(), session.get("session").textValue());
        assertEquals("torn", session.get("status").textValue());
        assertEquals(events, session.get("events").longValue());
        String last = Long.toString(events);
        Command tail = start("events", "last", "--from", last, "--format", "json", "--log", log);
        assertEquals(0, tail.await());
        assertEquals(events, order(tail.out()));
    }

    private JsonNode session(String log) throws Exception {
        Command sessions = start("sessions", "--format", "json", "--log", log);
        assertEquals(0, sessions.await(), sessions.err());
        return JSON.readTree(sessions.out()).at("/sessions/0");
    }

    private static long order(String row) throws IOException {
        return JSON.readTree(row).get("order").longValue();
    }

    private void awaitRecorded(String log, long lengthBytes) throws Exception {
        await(() -> lengthBytes(directory.resolve(log)) > lengthBytes);
    }

    /// Of what holds events, in either kind of log; indexes are as long as they may become. A file that is renamed
    /// meanwhile makes it one more look.
    private static long lengthBytes(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return 0;
        }
        long sum = 0;
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.toList()) {
                if (file.toString().matches(".*events.*\\.log|.*\\.avro")) {
                    sum += Files.size(file);
                }
            }
        } catch (UncheckedIOException | NoSuchFileException e) {
            return 0;
        }
        return sum;
    }

    private interface Condition {
        boolean holds() throws IOException;
    }

    private void await(Condition condition) throws Exception {
        while (!condition.holds()) {
            assertTrue(started.getFirst().process.isAlive(), started.getFirst().err());
            Thread.sleep(50);
        }
    }

    private Command start(String... words) throws IOException {
        List<String> line = new ArrayList<>();
        if (Files.exists(GNU_ENV) && System.getProperty("os.name").equals("Linux")) {
            // A shell starts what runs in the background with SIGINT ignored, and children inherit
            // that.
            line.addAll(List.of(GNU_ENV.toString(), "--default-signal=INT"));
        }
        line.add(TRAPLINE.toString());
        line.addAll(List.of(words));
        String name = Integer.toString(started.size());
        Path out = directory.resolve(name + ".out");
        Path err = directory.resolve(name + ".err");
        Process process =
                new ProcessBuilder(line)
                        .directory(directory.toFile())
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile())
                        .start();
        Command command = new Command(process, out, err);
        started.add(command);
        return command;
    }

    private record Command(Process process, Path outFile, Path errFile) {

        void signal(String name) throws Exception {
            List<String> kill = List.of("kill", "-s", name, Long.toString(process.pid()));
            assertEquals(0, new ProcessBuilder(kill).start().waitFor());
        }

        int await() throws InterruptedException {
            assertTrue(process.waitFor(30, TimeUnit.SECONDS), "still running");
            return process.exitValue();
        }

        String out() throws IOException {
            return Files.readString(outFile);
        }

        String err() throws IOException {
            return Files.readString(errFile);
        }
    }
}

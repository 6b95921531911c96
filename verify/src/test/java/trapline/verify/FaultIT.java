package trapline.verify;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.journal.ExitTail;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.replayer.Session;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.ExitObserved;

/// Broker, worker, page and recorder as processes of their own, each killed under load and started again: in the end
/// every total is that of the topic, nothing is missing and nothing is there twice.
class FaultIT {

    private static final Path TRAPLINE =
            Path.of("../cli/target/dist/trapline").toAbsolutePath().normalize();
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int MINUTE = 60_000;

    private static final String GUEST =
            """
            scenario: under-load
            vcpus: 2
            program:
              - repeat: 20000
                do:
                  - run: {random: [1, 5000]}
                  - wrmsr: {msr: IA32_SPEC_CTRL, value: {random: [0, 7]}}
                  - rdmsr: IA32_TSC_DEADLINE
                  - cpuid: {leaf: 0x1}
            """;

    @TempDir Path folder;

    private final HttpClient client =
            HttpClient.newBuilder().followRedirects(HttpClient.Redirect.ALWAYS).build();
    private final List<Process> processes = new ArrayList<>();

    /// A command that goes on by itself and tells its address first.
    private final class Daemon {

        private final String[] words;
        private Process process;
        private JsonNode said;

        Daemon(String... words) throws IOException {
            this.words = words;
            start();
        }

        void start() throws IOException {
            process = FaultIT.this.start(words);
            BufferedReader out = process.inputReader(UTF_8);
            StringBuilder document = new StringBuilder();
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                document.append(line).append('\n');
                if (line.equals("}")) {
                    break;
                }
            }
            said = JSON.readTree(document.toString());
        }

        String url() {
            return said.get("url").textValue().replaceAll("/$", "");
        }

        void kill() throws InterruptedException {
            process.destroyForcibly();
            process.waitFor();
        }
    }

    private Process start(String... words) throws IOException {
        List<String> command = new ArrayList<>(List.of(TRAPLINE.toString()));
        command.addAll(List.of(words));
        command.addAll(List.of("--format", "json"));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("TRAPLINE_JAVA_OPTS", "-Xmx256m");
        Process process =
                builder.redirectError(Files.createTempFile(folder, words[0] + "-", ".txt").toFile())
                        .start();
        processes.add(process);
        return process;
    }

    @AfterEach
    void end() throws InterruptedException {
        for (Process process : processes.reversed()) {
            process.destroyForcibly();
            process.waitFor();
        }
        client.shutdownNow();
    }

    /// Records one session after the other, until it is told to stop.
    private final class Load implements AutoCloseable {

        private final Path guest;
        private final String log;
        private final Thread thread;
        private final List<Integer> codes = Collections.synchronizedList(new ArrayList<>());
        private volatile Process recorder;
        private volatile boolean stopped;

        Load(Path guest, String log) {
            this.guest = guest;
            this.log = log;
            thread = Thread.ofPlatform().start(this::run);
        }

        private void run() {
            try {
                while (!stopped) {
                    recorder = start("record", "--guest", guest.toString(), "--log", log);
                    codes.add(recorder.waitFor());
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void close() {
            stopped = true;
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Test
    @Timeout(600)
    void whateverIsKilledUnderLoadTheTotalsAreRight() throws Exception {
        Path guest = Files.writeString(folder.resolve("guest.yaml"), GUEST);
        Daemon broker = new Daemon("broker", "--log", "embedded:" + folder.resolve("log"));
        String log = "kafka:" + broker.said.get("bootstrapServers").textValue();
        Daemon first = new Daemon("worker", "--log", log, "--only", "statistics");
        Daemon second = new Daemon("worker", "--log", log, "--only", "statistics");
        Daemon page = new Daemon("serve", "--log", log, "--listen", "127.0.0.1:0");
        try (Load load = new Load(guest, log)) {
            await("the page sees exits", () -> liveExits(page) > 1_000);

            first.kill();
            long before = liveExits(page);
            await("exits go on without a worker", () -> liveExits(page) > before);
            first.start();

            page.kill();
            page.start();
            await("the page has its history again", () -> liveExits(page) >= before);

            broker.kill();
            broker.start();
            assertEquals(log, "kafka:" + broker.said.get("bootstrapServers").textValue());
            long after = liveExits(page);
            await("exits go on after the broker", () -> liveExits(page) > after);

            await("a session is being recorded", () -> killWhileRecording(load, page));
            int codes = load.codes.size();
            await(
                    "a session after all of that",
                    () -> load.codes.size() > codes && load.codes.getLast() == 0);
        }
        try (Journal journal = Journals.openReadOnly(log, Optional.empty())) {
            assertEquals(List.of(), journal.damaged());
            assertTrue(
                    journal.sessions().stream().anyMatch(entry -> entry.status() != Status.CLOSED),
                    "the recorder's death left a session without an end");
            for (CatalogueEntry entry : journal.sessions()) {
                check(journal, entry.header().session(), page, List.of(first, second));
            }
        }
    }

    /// Whether a recorder was killed with its session open and exits in it.
    private boolean killWhileRecording(Load load, Daemon page) throws Exception {
        for (JsonNode session : sessions(page)) {
            boolean open = session.get("status").textValue().equals("open");
            String name = session.get("session").textValue();
            if (open && totals(page, name).path("exits").asLong() > 0) {
                load.recorder.destroyForcibly();
                load.recorder.waitFor();
                return load.codes.isEmpty() || load.recorder.exitValue() != 0;
            }
        }
        return false;
    }

    /// Topic, events, page and workers say the same of a session.
    private void check(Journal journal, String name, Daemon page, List<Daemon> workers)
            throws Exception {
        Map<String, Long> told = new TreeMap<>();
        BitSet orders = new BitSet();
        try (Session session = Session.open(journal, name);
                ExitTail tail = journal.exits(session.header())) {
            while (!tail.caughtUp()) {
                for (ExitObserved exit : tail.poll(Duration.ofMillis(100)).exits()) {
                    int order = (int) exit.stamp().order();
                    assertFalse(orders.get(order), () -> "twice: " + exit);
                    orders.set(order);
                    told.merge(exit.reason().name(), 1L, Long::sum);
                }
            }
            BitSet events = new BitSet();
            session.events((envelope, _) -> {
                if (envelope.event() instanceof VmExited) {
                    events.set((int) envelope.stamp().order());
                }
                return true;
            });
            // The exits of one that was killed may be a few short of its events, or ahead of them.
            if (session.entry().status() == Status.CLOSED) {
                assertEquals(events, orders, name);
            }
        }
        long exits = orders.cardinality();
        awaitEqual(exits, () -> totals(page, name).at("/exits").asLong(), "the page");
        for (JsonNode row : totals(page, name).get("byReason")) {
            assertEquals(told.get(row.get("name").textValue()), row.get("count").asLong());
        }
        for (Daemon worker : workers) {
            awaitEqual(exits, () -> counted(worker, name), "a worker");
        }
    }

    /// The sum over a session's windows of a minute.
    private long counted(Daemon worker, String session) throws Exception {
        Optional<JsonNode> answer = ask(worker.url() + "/windows?session=" + session);
        if (answer.isEmpty()) {
            return -1;
        }
        long exits = 0;
        for (JsonNode window : answer.get().get("windows")) {
            if (window.get("millis").asInt() == MINUTE) {
                exits += window.get("exits").asLong();
            }
        }
        return exits;
    }

    /// Exits of all sessions that the page has seen.
    private long liveExits(Daemon page) throws Exception {
        long exits = 0;
        for (JsonNode session : sessions(page)) {
            exits += totals(page, session.get("session").textValue()).path("exits").asLong();
        }
        return exits;
    }

    private JsonNode sessions(Daemon page) throws Exception {
        return ask(page.url() + "/api/sessions")
                .map(answer -> answer.get("sessions"))
                .orElse(JSON.createArrayNode());
    }

    /// What the page says of a session from its begin on.
    private JsonNode totals(Daemon page, String session) throws Exception {
        return ask(page.url() + "/api/live/" + session + "/range?from=0&to=" + Long.MAX_VALUE / 2)
                .orElse(JSON.createObjectNode());
    }

    private Optional<JsonNode> ask(String url) throws IOException, InterruptedException {
        try {
            var answer =
                    client.send(
                            HttpRequest.newBuilder(URI.create(url))
                                    .timeout(Duration.ofSeconds(10))
                                    .build(),
                            BodyHandlers.ofString());
            return answer.statusCode() == 200
                    ? Optional.of(JSON.readTree(answer.body()))
                    : Optional.empty();
        } catch (IOException e) {
            return Optional.empty(); // asked again
        }
    }

    private static void await(String what, Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.call()) {
            assertTrue(System.nanoTime() < end, what);
            Thread.sleep(200);
        }
    }

    private static void awaitEqual(long expected, Callable<Long> found, String who)
            throws Exception {
        long end = System.nanoTime() + PATIENCE.toNanos();
        long last = found.call();
        while (last != expected && System.nanoTime() < end) {
            Thread.sleep(200);
            last = found.call();
        }
        assertEquals(expected, last, who);
    }
}

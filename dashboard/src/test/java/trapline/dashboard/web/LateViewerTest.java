package trapline.dashboard.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import trapline.journal.ExitTail;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.replayer.Names;
import trapline.replayer.Session;
import trapline.replayer.Tally;
import trapline.schemas.ExitObserved;

/// Who comes in the middle of a recording sees what who was there from the start does: the topic, record for
/// record.
class LateViewerTest {

    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir static Path folder;
    private static Journal journal;
    private static WebServer server;

    /// The common pool may have but one thread, which HTTP clients use as well.
    private static final ExecutorService threads = Executors.newCachedThreadPool();

    @BeforeAll
    static void start() {
        journal = Journals.open("embedded:" + folder.resolve("log"), Optional.empty());
        server = WebServer.start(Listen.loopback(0), journal);
    }

    @AfterAll
    static void stop() {
        server.close();
        journal.close();
        threads.shutdownNow();
    }

    /// What the topic says, counted here and in no other way than one by one.
    private static final class Topic {
        final List<ExitObserved> exits = new ArrayList<>();
        final Map<Long, Map<String, Long>> windows = new TreeMap<>();
        final Map<Long, Long> checks = new TreeMap<>();
        final Map<String, Long> byReason = new TreeMap<>();

        Topic(String session) {
            try (ExitTail tail = journal.exits(journal.open(session).entry().header())) {
                while (!tail.caughtUp()) {
                    exits.addAll(tail.poll(Duration.ofMillis(100)).exits());
                }
            }
            for (ExitObserved exit : exits) {
                long second = exit.recordedMillis() / 1000 * 1000;
                windows.computeIfAbsent(second, _ -> new TreeMap<>())
                        .merge(exit.reason().name(), 1L, Long::sum);
                checks.merge(second, splitMix(exit.stamp().order()), Long::sum);
                byReason.merge(exit.reason().name(), 1L, Long::sum);
            }
        }

        /// Steele, Lea and Flood's SplitMix64, seeded with the number: its first output.
        private static long splitMix(long seed) {
            long z = seed + 0x9e3779b97f4a7c15L;
            z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
            z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
            return z ^ (z >>> 31);
        }
    }

    /// The first number of the generator seeded with 1234567, as published with it.
    @Test
    void theCheckIsSplitMix64() {
        assertEquals(6457827717110365317L, Topic.splitMix(1234567));
    }

    @Test
    void historyAndLiveTailAreTheTopic() throws Exception {
        try (Watched first = new Watched(server.port(), "")) {
            CompletableFuture<String> recording =
                    CompletableFuture.supplyAsync(
                            () -> Guests.record(journal, Guests.BUSY.formatted(60_000)), threads);
            first.await(seen -> seen.sessions.values().stream().anyMatch(s -> exits(s) > 1_000));
            String session = first.sessions.keySet().iterator().next();
            CompletableFuture<List<JsonNode>> lines =
                    CompletableFuture.supplyAsync(() -> lines(session), threads);
            try (Watched late = new Watched(server.port(), "?session=" + session)) {
                late.await(seen -> !seen.types.isEmpty());
                assertFalse(recording.isDone(), "the recording was over too soon to tell anything");
                assertEquals("history", late.types.getFirst());
                assertEquals(session, recording.get());
                Topic topic = new Topic(session);
                assertTrue(topic.exits.size() > 100_000, "exits: " + topic.exits.size());
                for (Watched viewer : List.of(first, late)) {
                    viewer.await(seen ->
                            seen.exits(session) == topic.exits.size()
                                    && seen.status(session).equals("closed"));
                }
                assertEquals(topic.windows, windows(late));
                assertEquals(hex(topic.checks), checks(late));
                assertEquals(
                        topic.byReason,
                        counts(late.sessions.get(session).get("totals").get("byReason")));
                assertEquals(first.sessions.get(session), late.sessions.get(session));
                assertTrue(
                        late.types.stream().skip(1).allMatch("delta"::equals),
                        late.types::toString);
                assertTrue(first.windows.isEmpty());
            }
            Topic topic = new Topic(session);
            compare(topic.exits, lines.get());
            assertEquals(counted(session), topic.byReason);
        }
    }

    /// What `stat` says of the session's events.
    private static Map<String, Long> counted(String name) {
        Map<String, Long> counts = new TreeMap<>();
        try (Session session = Session.open(journal, name)) {
            Tally tally = new Tally(session.vendor(), session.vcpus());
            session.events((envelope, _) -> {
                tally.add(envelope);
                return true;
            });
            tally.exitsByReason()
                    .forEach((reason, count) ->
                            counts.put(Names.exit(session.vendor(), reason), count));
        }
        return counts;
    }

    private static long exits(JsonNode session) {
        return session.get("totals").get("exits").asLong();
    }

    private static Map<Long, Map<String, Long>> windows(Watched viewer) {
        Map<Long, Map<String, Long>> windows = new TreeMap<>();
        viewer.windows.forEach(
                (begin, window) -> windows.put(begin, counts(window.get("byReason"))));
        return windows;
    }

    private static Map<String, Long> counts(JsonNode rows) {
        Map<String, Long> counts = new TreeMap<>();
        rows.forEach(row -> counts.put(row.get("name").asText(), row.get("count").asLong()));
        return counts;
    }

    private static Map<Long, String> hex(Map<Long, Long> checks) {
        Map<Long, String> hex = new TreeMap<>();
        checks.forEach((begin, check) -> hex.put(begin, "0x" + Long.toHexString(check)));
        return hex;
    }

    private static Map<Long, String> checks(Watched viewer) {
        Map<Long, String> checks = new TreeMap<>();
        viewer.windows.forEach((begin, window) -> checks.put(begin, window.get("check").asText()));
        return checks;
    }

    private static List<JsonNode> lines(String session) {
        URI uri =
                URI.create(
                        "http://127.0.0.1:%d/api/exits.ndjson?session=%s&follow=true"
                                .formatted(server.port(), session));
        try (HttpClient client = HttpClient.newHttpClient();
                Stream<String> lines =
                        client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofLines())
                                .body()) {
            List<JsonNode> all = new ArrayList<>();
            for (String line : lines.filter(text -> !text.isEmpty()).toList()) {
                all.add(JSON.readTree(line));
            }
            return all;
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void compare(List<ExitObserved> exits, List<JsonNode> lines) {
        assertEquals(exits.size(), lines.size());
        boolean live = false;
        for (int i = 0; i < lines.size(); i++) {
            JsonNode line = lines.get(i);
            ExitObserved exit = exits.get(i);
            assertEquals(exit.stamp().order(), line.get("order").asLong());
            assertEquals(exit.stamp().seq(), line.get("seq").asLong());
            assertEquals(exit.stamp().vcpu(), line.get("vcpu").asInt());
            assertEquals(exit.reason().name(), line.get("reasonName").asText());
            assertEquals(exit.recordedMillis(), line.get("recordedMillis").asLong());
            assertTrue(!live || line.get("live").asBoolean(), "history after the seam");
            live = line.get("live").asBoolean();
        }
        assertFalse(lines.getFirst().get("live").asBoolean());
        assertTrue(live);
    }
}

package trapline.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import trapline.journal.Journal;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.journal.Journals;
import trapline.journal.SessionReader;
import trapline.replayer.Verification;
import trapline.replayer.Verify;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.CheckpointRef;

/// The launcher as users have it, killed at random moments while it records.
///
/// `-Dkills=N` kills more often, `-Dkills.seed=S` repeats the moments of an earlier run.
class KillIT {

    private static final int KILLS = Integer.getInteger("kills", 8);
    private static final long SEED = Long.getLong("kills.seed", System.nanoTime());
    private static final Path TRAPLINE =
            Path.of("../cli/target/dist/trapline").toAbsolutePath().normalize();
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /// About as long as the launcher needs to record the short guest.
    private static final int SHORT_RUN_MILLIS = 4_500;

    private static final String GUEST =
            """
            scenario: killed
            program:
              - repeat: %d
                do:
                  - run: {random: [1, 5000]}
                  - wrmsr: {msr: IA32_SPEC_CTRL, value: {random: [0, 7]}}
                  - cpuid: {leaf: 0x1}
                  - out: {port: 0x20, size: 1, value: 0x20}
            """;

    @TempDir Path folder;

    private final Random random = new Random(SEED);
    private final Map<Path, NavigableMap<String, Status>> known = new TreeMap<>();
    private final Map<String, Integer> outcomes = new TreeMap<>();

    @Test
    void killedRecordersLeaveSessionsThatAreClosedOrTorn() throws Exception {
        Path endless = Files.writeString(folder.resolve("endless.yaml"), GUEST.formatted(9999999));
        Path brief = Files.writeString(folder.resolve("brief.yaml"), GUEST.formatted(3000));
        for (int kill = 0; kill < KILLS; kill++) {
            Victim victim = new Victim(kill, kill % 4 < 2 ? "embedded" : "file");
            try {
                if (kill % 2 == 0) {
                    killWhileRecording(victim, endless);
                } else {
                    killAtAnyMoment(victim, brief);
                }
            } catch (AssertionError | RuntimeException e) {
                victim.kill();
                throw new AssertionError("kill %d, -Dkills.seed=%d".formatted(kill, SEED), e);
            }
        }
        System.out.println("KillIT: " + KILLS + " kills left " + outcomes);
    }

    /// The session is there and torn, with all that anybody saw of it.
    private void killWhileRecording(Victim victim, Path guest) throws Exception {
        victim.record(guest);
        long first = victim.awaitEvents(1).events();
        Thread.sleep(random.nextInt(600));
        Seen seen = victim.awaitEvents(first);
        Thread.sleep(random.nextInt(200));
        victim.kill();
        try (Journal journal = victim.open()) {
            assertEquals(List.of(seen.session()), newSessions(journal, victim.log));
            Verification verification = verify(journal, seen.session());
            assertEquals(Status.TORN, status(journal, seen.session()));
            assertTrue(verification.events() >= seen.events(), () -> verification + " of " + seen);
            assertTrue(
                    verification.checks().stream()
                            .anyMatch(check -> check.message().contains("the session is torn")),
                    verification::toString);
            keep(journal, victim.log, "torn");
        }
    }

    /// Nothing was begun yet, or a session is there; what was announced as recorded is closed.
    private void killAtAnyMoment(Victim victim, Path guest) throws Exception {
        victim.record(guest);
        victim.process.waitFor(random.nextInt(SHORT_RUN_MILLIS), TimeUnit.MILLISECONDS);
        victim.kill();
        JsonNode announced = new ObjectMapper().readTree(victim.out.toFile());
        try (Journal journal = victim.open()) {
            List<String> names = newSessions(journal, victim.log);
            assertTrue(names.size() <= 1, names::toString);
            for (String name : names) {
                Verification verification = verify(journal, name);
                if (announced.path("sessions").isArray()) {
                    assertEquals(announced.path("session").textValue(), name);
                    assertEquals(
                            announced.path("sessions").path(0).path("events").longValue(),
                            verification.events());
                    assertEquals(Status.CLOSED, status(journal, name));
                }
            }
            assertTrue(announced.path("session").isMissingNode() || names.size() == 1);
            String outcome =
                    names.isEmpty()
                            ? "no session yet"
                            : status(journal, names.getFirst()).name().toLowerCase(Locale.ROOT);
            keep(journal, victim.log, outcome);
        } catch (JournalException e) {
            assertEquals(Kind.NO_LOG, e.kind(), e::getMessage);
            assertTrue(announced.path("session").isMissingNode());
            assertFalse(known.containsKey(victim.log));
            outcomes.merge("no log yet", 1, Integer::sum);
        }
    }

    /// It is whole as far as it goes.
    private static Verification verify(Journal journal, String session) {
        Verification verification = Verify.of(journal, session, _ -> {});
        assertTrue(verification.ok(), verification::toString);
        return verification;
    }

    private static Status status(Journal journal, String session) {
        return statuses(journal).get(session);
    }

    private static NavigableMap<String, Status> statuses(Journal journal) {
        NavigableMap<String, Status> statuses = new TreeMap<>();
        for (CatalogueEntry entry : journal.sessions()) {
            statuses.put(entry.header().session(), entry.status());
        }
        assertEquals(List.of(), journal.damaged());
        return statuses;
    }

    private List<String> newSessions(Journal journal, Path log) {
        Map<String, Status> before = known.getOrDefault(log, new TreeMap<>());
        return statuses(journal).keySet().stream()
                .filter(name -> !before.containsKey(name))
                .toList();
    }

    private void keep(Journal journal, Path log, String outcome) {
        NavigableMap<String, Status> statuses = statuses(journal);
        assertFalse(statuses.containsValue(Status.OPEN), statuses::toString);
        NavigableMap<String, Status> before = known.getOrDefault(log, new TreeMap<>());
        assertTrue(statuses.entrySet().containsAll(before.entrySet()), before::toString);
        known.put(log, statuses);
        outcomes.merge(outcome, 1, Integer::sum);
    }

    /// What a reader saw of a session while it was recorded.
    private record Seen(String session, long events) {}

    /// One run of the launcher; now and then on a log that is not there yet.
    private final class Victim {

        private final String scheme;
        private final Path log;
        private final Path out;
        private final Path err;
        private Process process;

        Victim(int number, String scheme) {
            this.scheme = scheme;
            log = folder.resolve(random.nextInt(3) == 0 ? scheme + "-" + number : scheme);
            out = folder.resolve("out-" + number);
            err = folder.resolve("err-" + number);
        }

        void record(Path guest) throws IOException {
            List<String> command = new ArrayList<>(List.of(TRAPLINE.toString(), "record"));
            command.addAll(List.of("--guest", guest.toString(), "--format", "json"));
            command.addAll(List.of("--log", scheme + ":" + log));
            process =
                    new ProcessBuilder(command)
                            .redirectOutput(out.toFile())
                            .redirectError(err.toFile())
                            .start();
        }

        Journal open() {
            return Journals.openReadOnly(scheme + ":" + log, Optional.empty());
        }

        /// Reads along until there are more events than that.
        Seen awaitEvents(long least) throws Exception {
            for (long begin = System.nanoTime();
                    System.nanoTime() - begin < PATIENCE.toNanos() && process.isAlive();
                    Thread.sleep(20)) {
                Optional<Seen> seen = holdsItsLog() ? look() : Optional.empty();
                if (seen.isPresent() && seen.get().events() >= least) {
                    return seen.get();
                }
            }
            throw new IllegalStateException("nothing is recorded: " + Files.readString(err));
        }

        private Optional<Seen> look() {
            try (Journal journal = open()) {
                return newSessions(journal, log).stream()
                        .findFirst()
                        .map(name -> new Seen(name, events(journal, name)));
            } catch (JournalException e) {
                assertEquals(Kind.NO_LOG, e.kind(), e::getMessage);
                return Optional.empty();
            }
        }

        /// Whether a reader finds the log in use, so that it does not become the broker itself.
        private boolean holdsItsLog() throws IOException {
            Path address = log.resolve("address");
            if (scheme.equals("file") || !Files.exists(address)) {
                return scheme.equals("file") && Files.exists(log);
            }
            return Files.readAllLines(address)
                    .containsAll(List.of("running=true", "process=" + process.pid()));
        }

        void kill() throws InterruptedException {
            process.destroyForcibly().waitFor();
        }
    }

    /// All that can be read, which is at least what the recorder said was safe.
    private static long events(Journal journal, String session) {
        try (SessionReader reader = journal.open(session)) {
            CheckpointRef last = reader.checkpointBefore(Long.MAX_VALUE).orElse(null);
            long[] events = {last == null ? 0 : last.order()};
            reader.read(last, (_, _, _, _) -> ++events[0] > 0);
            assertTrue(events[0] >= reader.entry().acknowledged());
            return events[0];
        }
    }
}

package trapline.journal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import trapline.engine.event.Envelope;
import trapline.journal.JournalException.Kind;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.CheckpointRef;
import trapline.schemas.ClosingRecord;
import trapline.schemas.Digest;
import trapline.schemas.EventDecoder;
import trapline.schemas.ExitObserved;
import trapline.schemas.ExitStatistics;

/// What every kind of log promises.
abstract class JournalContract {

    /// The log that all tests of a class share.
    abstract Journal journal();

    /// Whether a recorder's end shows at once, rather than by its silence.
    boolean seesRecordersGo() {
        return true;
    }

    /// Whether the log has the derived topics.
    boolean keepsExits() {
        return true;
    }

    @Test
    void readsWhatWasRecorded() {
        SampleSession session = new SampleSession("contract-plain");
        session.record(journal(), 20_000, 0);
        assertEquals(20_000, session.verify(journal()));
        CatalogueEntry entry = entry("contract-plain");
        assertEquals(Status.CLOSED, entry.status());
        assertEquals(20_000, entry.closing().orElseThrow().events());
        assertEquals(List.of(), journal().damaged());
    }

    @Test
    void keepsContentsByTheirHash() {
        byte[] small = "scenario: x".getBytes(StandardCharsets.UTF_8);
        byte[] large = new byte[3 << 20];
        new Random(1).nextBytes(large);
        new SampleSession("contract-blobs")
                .withBlob("guest", small)
                .withBlob("image", large)
                .withBlob("empty", new byte[0])
                .record(journal(), 10, 0);
        try (SessionReader reader = journal().open("contract-blobs")) {
            assertArrayEquals(large, reader.blob(Digest.of(large)));
            assertArrayEquals(small, reader.blob(Digest.of(small)));
            assertArrayEquals(new byte[0], reader.blob(Digest.of(new byte[0])));
        }
    }

    @Test
    void seeksThroughThousandsOfCheckpoints() {
        SampleSession session = new SampleSession("contract-seek");
        session.record(journal(), 40_000, 16);
        try (SessionReader reader = journal().open("contract-seek")) {
            assertEquals(2_500, reader.checkpoints());
            assertEquals(2_500, reader.entry().closing().orElseThrow().checkpoints());
            for (long order : new long[] {16, 17, 7_999, 8_000, 8_001, 31_999, 39_999, 40_000}) {
                CheckpointRef ref = reader.checkpointBefore(order).orElseThrow();
                assertEquals(order / 16 * 16, ref.order());
                assertEquals(40_000, session.verify(reader, ref));
            }
            assertEquals(Optional.empty(), reader.checkpointBefore(15));
            CheckpointRef byVcpu = reader.checkpointBefore(1, 5_000).orElseThrow();
            assertEquals(10_000, byVcpu.order());
            assertEquals(9_984, reader.checkpointBefore(1, 4_999).orElseThrow().order());
            assertEquals(Optional.empty(), reader.checkpointBefore(7, 1));
        }
    }

    @Test
    void stopsWhenToldTo() {
        SampleSession session = new SampleSession("contract-stop");
        session.record(journal(), 50_000, 10_000);
        try (SessionReader reader = journal().open("contract-stop")) {
            for (int round = 0; round < 3; round++) {
                long[] seen = new long[1];
                reader.read(null, (_, _, _, _) -> ++seen[0] < 100);
                assertEquals(100, seen[0]);
            }
            assertEquals(50_000, session.verify(reader, null));
        }
    }

    @Test
    void tellsTornFromOpen() {
        SampleSession session = new SampleSession("contract-torn");
        SessionWriter writer = session.create(journal());
        session.append(writer, 5_000, 1_000);
        assertEquals(Status.OPEN, entry("contract-torn").status());
        writer.close();
        Status left = seesRecordersGo() ? Status.TORN : Status.OPEN;
        assertEquals(left, entry("contract-torn").status());
        long intact = session.verify(journal());
        assertTrue(intact >= writer.acknowledged() && intact <= 5_000);
    }

    @Test
    void keepsTheReasonOfAnEarlyEnd() {
        SampleSession session = new SampleSession("contract-early");
        try (SessionWriter writer = session.create(journal())) {
            session.append(writer, 100, 10);
            writer.finish(session.closing("the guest violated a check"));
        }
        ClosingRecord closing = entry("contract-early").closing().orElseThrow();
        assertEquals(Status.TORN, entry("contract-early").status());
        assertEquals("the guest violated a check", closing.reason());
        assertEquals(10, closing.checkpoints());
        assertEquals(100, session.verify(journal()));
    }

    @Test
    void recordsSideBySide() {
        SampleSession[] sessions = new SampleSession[6];
        SessionWriter[] writers = new SessionWriter[sessions.length];
        for (int i = 0; i < sessions.length; i++) {
            sessions[i] = new SampleSession("beside-" + i);
            writers[i] = sessions[i].create(journal());
        }
        for (int round = 0; round < 20; round++) {
            for (int i = 0; i < sessions.length; i++) {
                sessions[i].append(writers[i], 50 + i, 100);
            }
        }
        for (int i = 0; i < sessions.length; i++) {
            writers[i].finish(sessions[i].closing(""));
        }
        for (int i = 0; i < sessions.length; i++) {
            assertEquals(20L * (50 + i), sessions[i].verify(journal()));
        }
    }

    @Test
    void emptySessionIsASession() {
        SampleSession session = new SampleSession("contract-empty");
        session.record(journal(), 0, 0);
        assertEquals(0, session.verify(journal()));
        try (SessionReader reader = journal().open("contract-empty")) {
            assertEquals(0, reader.checkpoints());
            assertEquals(Optional.empty(), reader.checkpointBefore(1));
        }
    }

    @Test
    void findsSessionsByName() {
        new SampleSession("names-alpha").record(journal(), 1, 0);
        new SampleSession("names-alpine").record(journal(), 1, 0);
        assertEquals("names-alpha", opened("names-alpha"));
        assertEquals("names-alpine", opened("names-alpi"));
        JournalException two = assertThrows(JournalException.class, () -> opened("names-al"));
        assertEquals(Kind.AMBIGUOUS, two.kind());
        assertTrue(two.getMessage().contains("names-alpine, names-alpha"), two.getMessage());
        JournalException none = assertThrows(JournalException.class, () -> opened("names-alphq"));
        assertEquals(Kind.NO_SESSION, none.kind());
        assertTrue(none.getMessage().endsWith("did you mean names-alpha?"), none.getMessage());
    }

    @Test
    void lastIsTheNewest() throws InterruptedException {
        Thread.sleep(5);
        new SampleSession("zz-newest").record(journal(), 1, 0);
        assertEquals("zz-newest", opened("last"));
    }

    @Test
    void refusesASecondSessionOfThatName() {
        SampleSession session = new SampleSession("contract-twice");
        session.record(journal(), 10, 0);
        JournalException refused =
                assertThrows(JournalException.class, () -> session.create(journal()));
        assertEquals(Kind.CONFIGURATION, refused.kind());
        assertEquals(10, session.verify(journal()));
    }

    @Test
    void refusesNamesThatAreNone() {
        for (String name : List.of("", "a/b", "last", "..", "ä", "x".repeat(101))) {
            JournalException refused =
                    assertThrows(
                            JournalException.class,
                            () -> new SampleSession(name).create(journal()));
            assertEquals(Kind.CONFIGURATION, refused.kind());
        }
    }

    @Test
    void readsAnOpenSessionUpToNow() throws InterruptedException {
        SampleSession session = new SampleSession("contract-open");
        try (SessionWriter writer = session.create(journal())) {
            session.append(writer, 30_000, 0);
            long before = writer.acknowledged();
            long seen = session.verify(journal());
            assertTrue(seen >= before && seen <= 30_000, () -> seen + " of " + before);
            assertEquals(Status.OPEN, entry("contract-open").status());
            writer.finish(session.closing(""));
        }
        assertEquals(30_000, session.verify(journal()));
        assertFalse(journal().sessions().isEmpty());
    }

    @Test
    void followsASessionToItsEnd() throws InterruptedException {
        SampleSession session = new SampleSession("contract-follow");
        try (SessionWriter writer = session.create(journal())) {
            session.append(writer, 1_000, 100);
            AtomicLong seen = new AtomicLong();
            Thread follower = Thread.ofPlatform().start(() -> seen.set(follow(session)));
            for (int i = 0; i < 5; i++) {
                Thread.sleep(60);
                session.append(writer, 1_000, 100);
            }
            writer.finish(session.closing(""));
            follower.join(Duration.ofSeconds(10));
            assertEquals(6_000, seen.get());
        }
    }

    @Test
    void dashboardsSeeExitsAsTheyAreRecorded() {
        SampleSession session = new SampleSession("contract-exits");
        try (ExitTail tail = journal().exits(Instant.now());
                SessionWriter writer = session.create(journal())) {
            for (int i = 0; i < 100; i++) {
                session.append(writer, 10, 0);
                writer.exit(session.exit(i));
            }
            writer.statistics(new ExitStatistics("contract-exits", 0, 1_000, 100, List.of()));
            writer.finish(session.closing(""));
            List<ExitObserved> exits = new ArrayList<>();
            List<ExitStatistics> statistics = new ArrayList<>();
            for (int i = 0; i < 50 && keepsExits() && statistics.isEmpty(); i++) {
                ExitTail.Recent recent = tail.poll(Duration.ofMillis(200));
                exits.addAll(recent.exits());
                statistics.addAll(recent.statistics());
            }
            assertEquals(keepsExits() ? 1 : 0, statistics.size());
            exits.addAll(tail.poll(Duration.ofMillis(200)).exits());
            assertEquals(keepsExits() ? 100 : 0, exits.size());
            for (int i = 0; i < exits.size(); i++) {
                assertEquals(session.exit(i), exits.get(i));
            }
        }
        assertEquals(1_000, session.verify(journal()));
    }

    private long follow(SampleSession session) {
        try (SessionReader reader = journal().open("contract-follow")) {
            EventDecoder decoder = new EventDecoder(reader.writers());
            reader.follow(
                    null,
                    (bytes, offset, length, _) -> {
                        Envelope found = decoder.decode(bytes, offset, length);
                        assertEquals(session.event(decoder.order()), found);
                        return true;
                    });
            return decoder.order();
        }
    }

    CatalogueEntry entry(String name) {
        return journal().sessions().stream()
                .filter(found -> found.header().session().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private String opened(String name) {
        try (SessionReader reader = journal().open(name)) {
            return reader.entry().header().session();
        }
    }
}

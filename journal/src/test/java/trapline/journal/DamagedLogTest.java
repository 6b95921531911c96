package trapline.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import trapline.journal.JournalException.Kind;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.WireException;

/// Bytes changed and lost in the embedded broker's own files.
class DamagedLogTest {

    private static final int EVENTS = 20_000;

    @TempDir Path folder;
    private final SampleSession session = new SampleSession("victim");

    private Journal open() {
        return Journals.open("embedded:" + folder.resolve("log"), Optional.empty());
    }

    /// A changed byte has no consequence, or is named by topic, partition and offset.
    @Test
    void everyDamagedByteIsNamedOrHarmless() throws IOException {
        Random random = new Random(11);
        try (Journal journal = open()) {
            session.record(journal, EVENTS, 5_000);
            Path file = largest("trapline.events-");
            int named = 0;
            for (int i = 0; i < 60; i++) {
                long at = random.nextLong(Files.size(file));
                flip(file, at, 1 << random.nextInt(8));
                named += readsOrNames(journal) ? 0 : 1;
                flip(file, at, 0);
            }
            assertTrue(named > 50, "named " + named);
            assertEquals(EVENTS, session.verify(journal));
        }
    }

    private boolean readsOrNames(Journal journal) {
        try {
            assertEquals(EVENTS, session.verify(journal));
            return true;
        } catch (JournalException e) {
            assertEquals(Kind.DAMAGED, e.kind());
            assertTrue(e.place().matches("trapline\\.events-[0-9]@[0-9]+"), e.getMessage());
        } catch (WireException e) {
            assertEquals(WireException.Kind.OUT_OF_PLACE, e.kind());
        }
        return false;
    }

    private byte original;

    /// Changes some bits of one byte; with none, puts back what was there.
    private void flip(Path file, long at, int bits) throws IOException {
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer one = ByteBuffer.allocate(1);
            if (bits != 0) {
                channel.read(one, at);
                original = one.get(0);
            }
            channel.write(ByteBuffer.wrap(new byte[] {(byte) (original ^ bits)}), at);
        }
    }

    @Test
    void aLogThatLostItsEndIsNoShorterSession() throws IOException {
        try (Journal journal = open()) {
            session.record(journal, EVENTS, 5_000);
        }
        Path file = largest("trapline.events-");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(Files.size(file) * 2 / 3);
        }
        Files.deleteIfExists(folder.resolve("log/data/.kafka_cleanshutdown"));
        try (Journal journal = open()) {
            JournalException found =
                    assertThrows(JournalException.class, () -> session.verify(journal));
            assertEquals(Kind.DAMAGED, found.kind());
            assertTrue(found.getMessage().endsWith("which has 20000"), found.getMessage());
        }
    }

    /// The catalogue says what of it is gone, and the sessions that it still knows can be read.
    @Test
    void aDamagedCatalogueStillLists() throws IOException {
        SampleSession other = new SampleSession("neighbour");
        try (Journal journal = open()) {
            session.record(journal, 1_000, 0);
            other.record(journal, 1_000, 0);
        }
        Path file = largest("trapline.sessions-");
        flip(file, Files.size(file) - 40, 1);
        try (Journal journal = open()) {
            assertEquals(2, journal.sessions().size());
            assertEquals(1, journal.damaged().size());
            assertEquals(Kind.DAMAGED, journal.damaged().getFirst().kind());
            assertEquals(1_000, session.verify(journal));
            assertEquals(1_000, other.verify(journal));
            assertEquals(Status.TORN, journal.sessions().getLast().status());
        }
    }

    @Test
    void aDamagedCheckpointIsNamed() throws IOException {
        try (Journal journal = open()) {
            session.record(journal, EVENTS, 5_000);
            Path file = largest("trapline.checkpoints-");
            flip(file, Files.size(file) - 3, 4);
            try (SessionReader reader = journal.open("victim")) {
                var last = reader.checkpointBefore(EVENTS).orElseThrow();
                JournalException found =
                        assertThrows(JournalException.class, () -> reader.checkpoint(last));
                assertEquals(Kind.DAMAGED, found.kind());
                assertFalse(found.place().isEmpty());
                assertEquals(EVENTS, session.verify(reader, null));
            }
        }
    }

    /// Kafka itself would go on without the topics that its metadata has lost.
    @Test
    void damagedMetadataIsNamedAndNothingIsLost() throws IOException {
        try (Journal journal = open()) {
            session.record(journal, EVENTS, 0);
        }
        Path metadata = largest("__cluster_metadata-");
        byte[] intact = Files.readAllBytes(metadata);
        Random random = new Random(12);
        int harmless = 0;
        for (int i = 0; i < 60; i++) {
            byte[] damaged = intact.clone();
            damaged[random.nextInt(damaged.length)] ^= 0x10;
            Files.write(metadata, damaged);
            try (Journal journal = open()) {
                assertEquals(EVENTS, session.verify(journal));
                harmless++;
                intact = Files.readAllBytes(metadata);
            } catch (JournalException e) {
                assertEquals(Kind.DAMAGED, e.kind(), e.getMessage());
                assertTrue(e.place().startsWith(metadata.toString()), e.getMessage());
            }
        }
        assertTrue(harmless < 10, "harmless " + harmless);
        Files.write(metadata, intact);
        try (Journal journal = open()) {
            assertEquals(EVENTS, session.verify(journal));
        }
    }

    @Test
    void topicsThatMetadataForgotAreNotBegunAnew() throws IOException {
        try (Journal journal = open()) {
            session.record(journal, EVENTS, 0);
        }
        Path metadata = largest("__cluster_metadata-");
        Files.write(metadata, new byte[0]);
        Files.delete(folder.resolve("log/data/.kafka_cleanshutdown"));
        JournalException found = assertThrows(JournalException.class, this::open);
        assertEquals(Kind.DAMAGED, found.kind(), found.getMessage());
        assertTrue(Files.size(largest("trapline.events-")) > 0);
    }

    private Path largest(String topic) throws IOException {
        try (Stream<Path> files = Files.walk(folder.resolve("log/data"))) {
            return files.filter(file -> file.getParent().getFileName().toString().startsWith(topic))
                    .filter(file -> file.toString().endsWith(".log"))
                    .max(Comparator.comparingLong(DamagedLogTest::size))
                    .orElseThrow();
        }
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

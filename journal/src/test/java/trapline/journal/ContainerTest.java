package trapline.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.apache.avro.file.DataFileReader;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import trapline.journal.JournalException.Kind;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.CheckpointRef;
import trapline.schemas.Digest;
import trapline.schemas.WireException;

/// Sessions in Avro container files: what others read, and what becomes of damage.
class ContainerTest {

    private static final byte[] GUEST = "scenario: sample".getBytes(StandardCharsets.UTF_8);
    private static final int EVENTS = 12_000;

    @TempDir Path folder;
    private Journal journal;
    private final SampleSession session = new SampleSession("sample").withBlob("guest", GUEST);

    @BeforeEach
    void record() {
        journal = Journals.open("file:" + folder, Optional.empty());
        session.record(journal, EVENTS, 3_000);
    }

    private Path file() {
        return folder.resolve("sample.avro");
    }

    @Test
    void anyAvroReaderReadsIt() throws IOException {
        Map<String, Integer> records = new TreeMap<>();
        long order = 0;
        try (DataFileReader<GenericRecord> reader =
                new DataFileReader<>(file().toFile(), new GenericDatumReader<>())) {
            assertEquals("sample", reader.getMetaString("trapline.session"));
            for (GenericRecord found : reader) {
                records.merge(found.getSchema().getName(), 1, Integer::sum);
                if (found.getSchema().getName().equals("Envelope")) {
                    assertEquals(++order, found.get("order"));
                }
            }
        }
        assertEquals(
                Map.of(
                        "CatalogueEntry", 2,
                        "Blob", 1,
                        "Envelope", EVENTS,
                        "Checkpoint", 4,
                        "CheckpointPage", 1),
                records);
    }

    @Test
    void oneFileIsALogByItself() {
        try (Journal single = Journals.open("file:" + file(), Optional.empty())) {
            assertEquals(1, single.sessions().size());
            try (SessionReader reader = single.open("last")) {
                assertEquals(EVENTS, session.verify(reader, null));
            }
            JournalException refused =
                    assertThrows(
                            JournalException.class,
                            () -> new SampleSession("other").create(single));
            assertEquals(Kind.CONFIGURATION, refused.kind());
        }
    }

    @Test
    void aFileUnderAnotherNameIsTheSameSession() throws IOException {
        Path renamed = folder.resolve("from-a-mail.avro");
        Files.move(file(), renamed);
        try (Journal single = Journals.open("file:" + renamed, Optional.empty());
                SessionReader reader = single.open("sample")) {
            assertEquals(EVENTS, session.verify(reader, null));
        }
        assertEquals(EVENTS, session.verify(journal));
    }

    @Test
    void aCopyIsNotASecondSession() throws IOException {
        Files.copy(file(), folder.resolve("copy.avro"));
        assertEquals(1, journal.sessions().size());
        assertEquals(Kind.AMBIGUOUS, journal.damaged().getFirst().kind());
        assertEquals(EVENTS, session.verify(journal));
    }

    /// Wherever the file is cut, it is readable up to its last whole block, and torn.
    @Test
    void cutShortItIsTorn() throws IOException {
        byte[] whole = Files.readAllBytes(file());
        Random random = new Random(5);
        long longest = 0;
        for (int i = 0; i < 60; i++) {
            int cut = i == 0 ? 1 : 1 + random.nextInt(whole.length - 40_000);
            int length = whole.length - cut;
            Files.write(file(), Arrays.copyOf(whole, length));
            try (SessionReader reader = journal.open("sample")) {
                assertEquals(Status.TORN, reader.entry().status());
                long events = session.verify(reader, null);
                assertEquals(reader.entry().acknowledged(), events);
                for (int at = 1; at <= reader.checkpoints(); at++) {
                    CheckpointRef ref = reader.checkpointBefore(at * 3_000L).orElseThrow();
                    assertEquals(at * 3_000L, ref.order());
                    assertEquals(events, session.verify(reader, ref));
                }
                longest = Math.max(longest, events);
            }
        }
        assertEquals(EVENTS, longest);
    }

    /// A changed byte is found by whoever reads the file, and its file is named.
    @Test
    void everyDamagedByteIsNoticed() throws IOException {
        byte[] whole = Files.readAllBytes(file());
        Random random = new Random(6);
        for (int i = 0; i < 400; i++) {
            int at = i < 150 ? random.nextInt(40_000) : random.nextInt(whole.length);
            if (i >= 350) {
                at = whole.length - 1 - (i - 350);
            }
            byte[] damaged = whole.clone();
            damaged[at] ^= (byte) (1 << random.nextInt(8));
            Files.write(file(), damaged);
            try {
                readEverything();
                fail("byte " + at + " of " + whole.length + " was changed and nobody noticed");
            } catch (JournalException e) {
                assertTrue(
                        e.kind() == Kind.DAMAGED || e.kind() == Kind.NEWER, () -> e.getMessage());
                assertTrue(e.place().contains("sample.avro"), () -> e.getMessage());
            }
        }
    }

    private void readEverything() {
        try (SessionReader reader = journal.open("sample")) {
            assertNotEquals(0, reader.blob(Digest.of(GUEST)).length);
            assertEquals(EVENTS, session.verify(reader, null));
            assertEquals(4, reader.checkpoints());
            reader.checkpoint(reader.checkpointBefore(EVENTS).orElseThrow());
            assertEquals(Status.CLOSED, reader.entry().status());
        } catch (WireException e) {
            throw new JournalException(Kind.DAMAGED, "sample.avro", e.getMessage(), e);
        }
    }

    @Test
    void bytesBehindTheEndAreNoticed() throws IOException {
        byte[] whole = Files.readAllBytes(file());
        byte[] longer = Arrays.copyOf(whole, whole.length + 100);
        Files.write(file(), longer);
        try (SessionReader reader = journal.open("sample")) {
            assertEquals(Status.TORN, reader.entry().status());
            JournalException found =
                    assertThrows(JournalException.class, () -> session.verify(reader, null));
            assertEquals(Kind.DAMAGED, found.kind());
        }
    }

    @Test
    void oneBadFileDoesNotHideTheOthers() throws IOException {
        Files.writeString(folder.resolve("notes.avro"), "not a container");
        Files.write(folder.resolve("empty.avro"), new byte[0]);
        assertEquals(1, journal.sessions().size());
        assertEquals(2, journal.damaged().size());
        JournalException found = assertThrows(JournalException.class, () -> journal.open("notes"));
        assertEquals(Kind.DAMAGED, found.kind());
        assertEquals(EVENTS, session.verify(journal));
    }

    @Test
    void aKilledRecorderLeavesATornFile() throws InterruptedException {
        try (RecorderProcess recorder = RecorderProcess.start("file:" + folder, "k", 1_000)) {
            recorder.awaitRecording();
            Thread.sleep(300);
            recorder.kill();
            for (CatalogueEntry entry : journal.sessions()) {
                String name = entry.header().session();
                if (name.startsWith("k-")) {
                    assertTrue(entry.status() != Status.OPEN);
                    long least = recorder.acknowledged().getOrDefault(name, 0L);
                    long events = new SampleSession(name).verify(journal);
                    assertTrue(events >= least, () -> name + ": " + events + " of " + least);
                }
            }
            assertTrue(journal.damaged().isEmpty());
        }
    }
}

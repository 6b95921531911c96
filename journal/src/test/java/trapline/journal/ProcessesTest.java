package trapline.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import trapline.journal.broker.FolderBroker;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;

/// Several processes on one log, and processes that are killed. `-Dkills=N` kills more of them.
class ProcessesTest {

    private static final int KILLS = Integer.getInteger("kills", 3);

    @TempDir Path folder;

    @Test
    void killedRecordersLeaveEveryAcknowledgedEvent() throws InterruptedException {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        String log = "embedded:" + folder.resolve("log");
        for (int kill = 0; kill < KILLS; kill++) {
            String prefix = "k" + kill;
            try (RecorderProcess recorder = RecorderProcess.start(log, prefix, 1_000)) {
                recorder.awaitRecording();
                Thread.sleep(random.nextInt(1_000));
                recorder.kill();
                try (Journal journal = Journals.open(log, Optional.empty())) {
                    verify(journal, recorder, prefix);
                }
            }
        }
    }

    @Test
    void recordersJoinTheBrokerThatRuns() throws InterruptedException {
        String log = "embedded:" + folder.resolve("log");
        List<RecorderProcess> recorders = new ArrayList<>();
        for (String prefix : List.of("a", "b", "c")) {
            recorders.add(RecorderProcess.start(log, prefix, 3));
        }
        try {
            for (RecorderProcess recorder : recorders) {
                recorder.awaitEnd();
                assertEquals("", recorder.noise());
            }
            try (Journal journal = Journals.open(log, Optional.empty())) {
                for (RecorderProcess recorder : recorders) {
                    assertEquals(3, recorder.finished().size());
                    recorder.finished()
                            .forEach((name, events) ->
                                    assertEquals(events, new SampleSession(name).verify(journal)));
                }
            }
        } finally {
            recorders.forEach(RecorderProcess::close);
        }
    }

    /// The holder of the broker is killed; who joined it goes on recording.
    @Test
    void recordingGoesOnWhenTheHolderIsKilled() throws InterruptedException {
        Path path = folder.resolve("log");
        String log = "embedded:" + path;
        try (RecorderProcess holder = RecorderProcess.start(log, "holder", 1_000)) {
            holder.awaitRecording();
            SampleSession session = new SampleSession("survivor");
            try (Journal journal = Journals.open(log, Optional.empty());
                    SessionWriter writer = session.create(journal)) {
                session.append(writer, 20_000, 1_000);
                holder.kill();
                session.append(writer, 200_000, 10_000);
                writer.finish(session.closing(""));
                assertEquals(220_000, session.verify(journal));
                verify(journal, holder, "holder");
            }
        }
        try (FolderBroker broker = Journals.broker(path)) {
            assertTrue(broker.isHolder());
        }
    }

    private static void verify(Journal journal, RecorderProcess recorder, String prefix) {
        Map<String, Long> acknowledged = recorder.acknowledged();
        int seen = 0;
        for (CatalogueEntry entry : journal.sessions()) {
            String name = entry.header().session();
            if (name.startsWith(prefix + "-")) {
                seen++;
                assertTrue(entry.status() != Status.OPEN, name);
                long events = new SampleSession(name).verify(journal);
                long least = acknowledged.getOrDefault(name, 0L);
                assertTrue(events >= least, () -> name + " has " + events + " of " + least);
                if (recorder.finished().containsKey(name)) {
                    assertEquals(Status.CLOSED, entry.status(), name);
                    assertEquals(recorder.finished().get(name), events, name);
                }
            }
        }
        assertTrue(seen >= acknowledged.size());
        assertEquals(List.of(), journal.damaged());
    }
}

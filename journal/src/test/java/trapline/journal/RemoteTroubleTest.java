package trapline.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import trapline.journal.JournalException.Kind;
import trapline.journal.broker.FolderBroker;
import trapline.schemas.CatalogueEntry.Status;

/// Brokers that stall, go away, or have topics that are no good.
class RemoteTroubleTest {

    @TempDir Path folder;
    private FolderBroker broker;

    @BeforeEach
    void start() {
        broker = Journals.broker(folder.resolve("log"));
    }

    @AfterEach
    void stop() {
        broker.close();
    }

    private Journal open(String settings) throws IOException {
        Path config = Files.writeString(folder.resolve("kafka.properties"), settings);
        return Journals.open("kafka:" + broker.address(), Optional.of(config));
    }

    /// The recorder is told how far the log got, and the log has at least that.
    @Test
    void aBrokerThatStaysAwayTearsTheSession() throws IOException {
        SampleSession session = new SampleSession("stalled");
        String message;
        try (Journal journal =
                open("delivery.timeout.ms=2000\nrequest.timeout.ms=1000\nlinger.ms=5")) {
            SessionWriter writer = session.create(journal);
            session.append(writer, 30_000, 1_000);
            broker.close();
            JournalException torn =
                    assertThrows(
                            JournalException.class, () -> session.append(writer, 10_000_000, 0));
            assertEquals(Kind.UNREACHABLE, torn.kind(), torn.getMessage());
            message = torn.getMessage();
            assertThrows(JournalException.class, () -> session.append(writer, 1, 0));
            assertThrows(JournalException.class, () -> writer.finish(session.closing("")));
        }
        Matcher told =
                Pattern.compile("stalled ends torn: of (\\d+) events the log has the first (\\d+)$")
                        .matcher(message);
        assertTrue(told.find(), message);
        broker = Journals.broker(folder.resolve("log"));
        try (Journal journal = open("")) {
            long events = session.verify(journal);
            assertTrue(events >= Long.parseLong(told.group(2)), message + "; found " + events);
            assertTrue(events <= Long.parseLong(told.group(1)), message + "; found " + events);
        }
    }

    /// A broker that comes back in time costs nothing but time.
    @Test
    void aBrokerThatComesBackLosesNothing() throws IOException {
        SampleSession session = new SampleSession("patient");
        try (Journal journal = open("");
                SessionWriter writer = session.create(journal)) {
            session.append(writer, 50_000, 5_000);
            broker.close();
            broker = Journals.broker(folder.resolve("log"));
            session.append(writer, 50_000, 5_000);
            writer.finish(session.closing(""));
            assertEquals(100_000, session.verify(journal));
            try (SessionReader reader = journal.open("patient")) {
                assertEquals(20, reader.checkpoints());
                assertEquals(Status.CLOSED, reader.entry().status());
            }
        }
    }

    @Test
    void topicsThatWouldLoseRecordingsAreRefused()
            throws IOException, ExecutionException, InterruptedException {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.address()))) {
            admin.createTopics(
                            List.of(
                                    new NewTopic("lab.events", 1, (short) 1)
                                            .configs(Map.of("retention.ms", "1000")),
                                    new NewTopic("lab.sessions", 1, (short) 1)))
                    .all()
                    .get();
        }
        JournalException refused =
                assertThrows(JournalException.class, () -> open("trapline.topic.prefix=lab"));
        assertEquals(Kind.REFUSED, refused.kind());
        assertTrue(
                refused.getMessage()
                        .endsWith(
                                "lab.events: expected retention.ms=-1, found 1000;"
                                        + " lab.sessions: expected cleanup.policy=compact,"
                                        + " found delete"),
                refused.getMessage());
    }

    @Test
    void moreCopiesThanBrokersAreRefused() {
        JournalException refused =
                assertThrows(
                        JournalException.class, () -> open("trapline.topic.replication.factor=3"));
        assertEquals(Kind.REFUSED, refused.kind());
    }

    @Test
    void readingWhereNothingWasRecordedMakesNoTopics() {
        String name = "kafka:" + broker.address();
        JournalException none =
                assertThrows(
                        JournalException.class,
                        () -> Journals.openReadOnly(name, Optional.empty()));
        assertEquals(Kind.NO_LOG, none.kind());
        JournalException again =
                assertThrows(
                        JournalException.class,
                        () -> Journals.openReadOnly(name, Optional.empty()));
        assertEquals(Kind.NO_LOG, again.kind());
    }

    @Test
    void aListenerThatSpeaksAnotherProtocolIsUnreachableOrRefuses() {
        JournalException wrong =
                assertThrows(
                        JournalException.class,
                        () ->
                                open(
                                        """
                                        security.protocol=SSL
                                        request.timeout.ms=500
                                        default.api.timeout.ms=1000
                                        """));
        assertTrue(
                wrong.kind() == Kind.UNREACHABLE || wrong.kind() == Kind.REFUSED,
                wrong.getMessage());
    }
}

package trapline.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.testcontainers.kafka.KafkaContainer;
import trapline.cli.Main;
import trapline.journal.Journal;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.journal.Journals;
import trapline.recorder.Plan;
import trapline.recorder.Recorded;
import trapline.replayer.Rebuild;
import trapline.replayer.ResultTree;
import trapline.replayer.Session;
import trapline.replayer.Verification;
import trapline.replayer.Verify;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.Topics;

/// Sessions on a broker elsewhere: Apache Kafka as its own image.
@Containers
class KafkaContainerIT {

    private static final KafkaContainer KAFKA =
            new KafkaContainer(Containers.KAFKA).withStartupAttempts(Containers.STARTUPS);
    private static final long CHECKPOINT_EVERY = 500;

    @TempDir Path folder;

    @BeforeAll
    static void start() {
        KAFKA.start();
    }

    @AfterAll
    static void stop() {
        KAFKA.stop();
    }

    private static String log() {
        return "kafka:" + KAFKA.getBootstrapServers();
    }

    private Journal open(String... settings) throws IOException {
        return Journals.open(log(), Optional.of(config(settings)));
    }

    private Path config(String... settings) throws IOException {
        return Files.write(folder.resolve("kafka.properties"), List.of(settings));
    }

    @ParameterizedTest
    @CsvSource({
        "every-op,             Icelake-Server, kvm-6.18",
        "linux-6.1-tasks-2cpu, EPYC-Milan,     kvm-6.1",
    })
    void whatWasRecordedVerifiesAndIsRebuilt(String guest, String cpu, String policy)
            throws IOException {
        Plan plan = Guests.plan(guest, cpu, policy);
        List<Moment> live = Moment.live(plan);
        String name;
        try (Journal journal = open()) {
            Recorded recorded =
                    Guests.record(
                            Guests.recorder(journal).withCheckpointEvery(CHECKPOINT_EVERY), plan);
            assertTrue(recorded.closed());
            name = recorded.session();
        }
        try (Journal journal = Journals.openReadOnly(log(), Optional.empty())) {
            Verification verification = Verify.of(journal, name, _ -> {});
            assertTrue(verification.ok(), verification::toString);
            assertEquals(live.size(), verification.events());
            try (Session session = Session.open(journal, name)) {
                assertEquals(Status.CLOSED, session.entry().status());
                assertEquals(live.size() / CHECKPOINT_EVERY, session.reader().checkpoints());
                Moment.assertSampled(live, new Rebuild(session), CHECKPOINT_EVERY);
            }
        }
    }

    /// Where a session is kept has no part in what it says.
    @ParameterizedTest
    @CsvSource({
        "ssbd-per-task, Icelake-Server, kvm-6.1,  'kvm-6.1,spec-ctrl=v4'",
        "every-op,      EPYC-Genoa,     kvm-5.15, kvm-7.1",
    })
    void aDiffIsTheSameAsThatOfFiles(String guest, String cpu, String base, String candidate)
            throws IOException {
        Plan plan = Guests.plan(guest, cpu, base);
        try (Journal brokers = open();
                Journal files =
                        Journals.open("file:" + folder.resolve("files"), Optional.empty())) {
            SequencedMap<String, Object> expected = diff(files, plan, candidate);
            assertTrue(expected.get("firstDivergence") instanceof Map, expected::toString);
            assertEquals(expected, diff(brokers, plan, candidate));
        }
    }

    private static SequencedMap<String, Object> diff(Journal journal, Plan plan, String candidate) {
        Recorded recorded = Guests.record(journal, plan);
        try (Session session = Session.open(journal, recorded.session())) {
            SequencedMap<String, Object> tree = ResultTree.of(Guests.diff(session, candidate));
            assertEquals(recorded.session(), tree.remove("session"));
            return tree;
        }
    }

    /// As users do it, each command a process of its own.
    @Test
    void commandsOfSeveralProcessesShareTheLog() throws Exception {
        String session =
                command("record", "--guest", "every-op.yaml", "--cpu", "EPYC-Milan")
                        .path("session")
                        .textValue();
        JsonNode verified = command("verify", session);
        assertTrue(verified.path("ok").booleanValue(), verified::toString);
        JsonNode diff = command("diff", session, "--candidate", "kvm-5.4");
        assertEquals(session, diff.path("session").textValue());
        assertEquals(verified.path("events"), diff.path("base").path("events"));
        assertTrue(diff.path("firstDivergence").isObject(), diff::toString);
    }

    private JsonNode command(String... words) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of(words));
        all.addAll(List.of("--log", log(), "--format", "json"));
        Files.write(folder.resolve("every-op.yaml"), Guests.file("every-op"));
        ProcessBuilder builder = OtherJvm.of(Main.class, all.toArray(String[]::new));
        OtherJvm.Output output = OtherJvm.run(builder.directory(folder.toFile()), folder);
        assertEquals(0, output.code(), output::toString);
        return new ObjectMapper().readTree(output.out());
    }

    @Test
    void whoOnlyReadsMakesNoTopics() throws Exception {
        Optional<Path> config = Optional.of(config("trapline.topic.prefix=nothing-here"));
        for (int attempt = 0; attempt < 2; attempt++) {
            JournalException none =
                    assertThrows(
                            JournalException.class, () -> Journals.openReadOnly(log(), config));
            assertEquals(Kind.NO_LOG, none.kind(), none::getMessage);
        }
        try (Admin admin = admin()) {
            Set<String> topics = admin.listTopics().names().get();
            topics.retainAll(new Topics("nothing-here").all());
            assertEquals(Set.of(), topics);
        }
    }

    @Test
    void topicsThatLoseRecordingsAreRefused() throws Exception {
        try (Admin admin = admin()) {
            NewTopic events = new NewTopic("lossy.events", 1, (short) 1);
            events.configs(Map.of("retention.ms", "3600000"));
            admin.createTopics(List.of(events)).all().get();
        }
        JournalException refused =
                assertThrows(JournalException.class, () -> open("trapline.topic.prefix=lossy"));
        assertEquals(Kind.REFUSED, refused.kind());
        assertTrue(
                refused.getMessage()
                        .contains("lossy.events: expected retention.ms=-1, found 3600000"),
                refused::getMessage);
    }

    @Test
    void moreCopiesThanBrokersAreRefused() {
        JournalException refused =
                assertThrows(
                        JournalException.class,
                        () ->
                                open(
                                        "trapline.topic.prefix=copies",
                                        "trapline.topic.replication.factor=3"));
        assertEquals(Kind.REFUSED, refused.kind(), refused::getMessage);
    }

    private static Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", KAFKA.getBootstrapServers()));
    }
}

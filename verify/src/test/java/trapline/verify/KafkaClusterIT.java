package trapline.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.LongConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.containers.Network;
import org.testcontainers.kafka.KafkaContainer;
import org.testcontainers.lifecycle.Startables;
import trapline.journal.Journal;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.journal.Journals;
import trapline.journal.SessionReader;
import trapline.recorder.Driver;
import trapline.recorder.Plan;
import trapline.recorder.Recorded;
import trapline.replayer.Verification;
import trapline.replayer.Verify;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.Topics;

/// Three brokers, of which some go while sessions are recorded.
@Containers
class KafkaClusterIT {

    private static final Network NETWORK = Network.newNetwork();
    private static final List<Broker> BROKERS =
            IntStream.rangeClosed(1, 3).mapToObj(Broker::new).toList();

    /// Long enough for whatever happens meanwhile.
    private static final Plan PLAN =
            Guests.scenario(
                    """
                    scenario: long
                    program:
                      - repeat: 40000
                        do:
                          - run: {random: [1, 5000]}
                          - wrmsr: {msr: IA32_SPEC_CTRL, value: {random: [0, 7]}}
                          - cpuid: {leaf: 0x1}
                    """,
                    "Icelake-Server",
                    "kvm-6.1");

    /// More than a recorder is ever ahead of what the log has acknowledged.
    private static final long PAUSE = 120_000;

    @TempDir Path folder;

    /// A broker and controller.
    private static final class Broker extends KafkaContainer {

        Broker(int id) {
            super(Containers.KAFKA);
            withNetwork(NETWORK);
            withStartupAttempts(Containers.STARTUPS);
            withNetworkAliases("kafka-" + id);
            withCreateContainerCmdModifier(command -> command.withHostName("kafka-" + id));
            withEnv("KAFKA_NODE_ID", Integer.toString(id));
            withEnv(
                    "KAFKA_CONTROLLER_QUORUM_VOTERS",
                    "1@kafka-1:9094,2@kafka-2:9094,3@kafka-3:9094");
            withEnv("KAFKA_BROKER_SESSION_TIMEOUT_MS", "3000");
            withEnv("KAFKA_BROKER_HEARTBEAT_INTERVAL_MS", "500");
            withEnv("KAFKA_HEAP_OPTS", "-Xmx256m");
        }

        void kill() {
            getDockerClient().killContainerCmd(getContainerId()).exec();
        }

        /// On an empty disk, and at another address.
        void replace() {
            stop();
            start();
        }

        void pause() {
            getDockerClient().pauseContainerCmd(getContainerId()).exec();
        }

        void goOn() {
            getDockerClient().unpauseContainerCmd(getContainerId()).exec();
        }
    }

    @BeforeAll
    static void start() {
        Startables.deepStart(BROKERS).join();
        Journals.open(log(), Optional.empty()).close();
    }

    @AfterAll
    static void stop() {
        BROKERS.forEach(Broker::stop);
        NETWORK.close();
    }

    @BeforeEach
    void everyTopicHasThreeCopies() throws ExecutionException, InterruptedException {
        awaitCopies();
    }

    @Test
    void twoCopiesHaveToAcknowledge() throws ExecutionException, InterruptedException {
        List<ConfigResource> topics =
                Topics.DEFAULT.all().stream()
                        .map(name -> new ConfigResource(ConfigResource.Type.TOPIC, name))
                        .toList();
        try (Admin admin = admin()) {
            for (Config config : admin.describeConfigs(topics).all().get().values()) {
                assertEquals("2", config.get("min.insync.replicas").value());
            }
        }
    }

    private static String servers() {
        return BROKERS.stream().map(Broker::getBootstrapServers).collect(Collectors.joining(","));
    }

    private static String log() {
        return "kafka:" + servers();
    }

    private static void awaitCopies() throws ExecutionException, InterruptedException {
        try (Admin admin = admin()) {
            for (int attempt = 0; attempt < 300; attempt++) {
                if (topics(admin).stream().allMatch(KafkaClusterIT::hasThreeCopies)) {
                    return;
                }
                Thread.sleep(200);
            }
            throw new IllegalStateException(
                    topics(admin).stream()
                            .filter(topic -> !hasThreeCopies(topic))
                            .map(TopicDescription::name)
                            .collect(Collectors.joining(", ", "not three copies: ", "")));
        }
    }

    private static boolean hasThreeCopies(TopicDescription topic) {
        return topic.partitions().stream().allMatch(partition -> partition.isr().size() == 3);
    }

    private static Collection<TopicDescription> topics(Admin admin)
            throws ExecutionException, InterruptedException {
        return admin.describeTopics(Topics.DEFAULT.all()).allTopicNames().get().values();
    }

    private static Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", servers()));
    }

    /// `trapline.events-3`.
    private static Broker leaderOf(String partition) {
        int dash = partition.lastIndexOf('-');
        String topic = partition.substring(0, dash);
        int number = Integer.parseInt(partition.substring(dash + 1));
        try (Admin admin = admin()) {
            TopicDescription found =
                    admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
            return BROKERS.get(found.partitions().get(number).leader().id() - 1);
        } catch (ExecutionException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Kills the leader of the newest session's partition while the recorder goes on.
    private static final class Killing implements LongConsumer {

        private final Journal journal;
        private Broker leader;
        private CompletableFuture<Void> killed;

        Killing(Journal journal) {
            this.journal = journal;
        }

        @Override
        public void accept(long events) {
            if (events == 20_000) {
                try (SessionReader reader = journal.open("last")) {
                    leader = leaderOf(reader.place());
                }
                killed = CompletableFuture.runAsync(leader::kill);
            } else if (events == 100_000) {
                killed.join();
            }
        }
    }

    @Test
    void aLeaderThatIsKilledTakesNothingAlong() throws ExecutionException, InterruptedException {
        try (Journal journal = Journals.open(log(), Optional.empty())) {
            Killing killing = new Killing(journal);
            Recorded recorded =
                    Guests.recorder(journal)
                            .record(PLAN, Driver.guest(PLAN.ingredients()), () -> true, killing);
            assertTrue(recorded.closed());
            assertFalse(killing.leader.isRunning());
            Verification verification = Verify.of(journal, recorded.session(), _ -> {});
            assertTrue(verification.ok(), verification::toString);
            assertEquals(recorded.events(), verification.events());
            killing.leader.replace();
            awaitCopies();
            assertEquals(verification, Verify.of(journal, recorded.session(), _ -> {}));
        }
    }

    /// Fewer copies than promised are not taken for enough: the recorder ends instead, and what it was
    /// told to be safe is.
    @Test
    void withoutEnoughCopiesTheSessionIsTornWhereItSays() throws IOException {
        Path config =
                Files.writeString(
                        folder.resolve("kafka.properties"),
                        "delivery.timeout.ms=4000\nrequest.timeout.ms=1000\nlinger.ms=5");
        List<Broker> stalled = BROKERS.subList(1, 3);
        JournalException torn;
        try (Journal journal = Journals.open(log(), Optional.of(config))) {
            torn =
                    assertThrows(
                            JournalException.class,
                            () ->
                                    Guests.recorder(journal)
                                            .record(
                                                    PLAN,
                                                    Driver.guest(PLAN.ingredients()),
                                                    () -> true,
                                                    events -> pauseAt(PAUSE, events, stalled)));
        } finally {
            stalled.forEach(Broker::goOn);
        }
        assertEquals(Kind.UNREACHABLE, torn.kind(), torn::getMessage);
        Matcher told =
                Pattern.compile(
                                "session (\\S+) ends torn: of (\\d+) events the log has the first"
                                        + " (\\d+)$")
                        .matcher(torn.getMessage());
        assertTrue(told.find(), torn::getMessage);
        assertReadable(told.group(1), Long.parseLong(told.group(3)), Long.parseLong(told.group(2)));
    }

    private static void pauseAt(long when, long events, List<Broker> brokers) {
        if (events == when) {
            brokers.forEach(Broker::pause);
        }
    }

    private static void assertReadable(String session, long least, long most) {
        try (Journal journal = Journals.openReadOnly(log(), Optional.empty())) {
            Verification verification = Verify.of(journal, session, _ -> {});
            assertTrue(verification.ok(), verification::toString);
            long found = verification.events();
            assertTrue(least > 0);
            assertTrue(found >= least && found <= most, least + " to " + most + ": " + found);
            try (SessionReader reader = journal.open(session)) {
                assertTrue(reader.entry().status() != Status.CLOSED);
            }
        }
    }
}

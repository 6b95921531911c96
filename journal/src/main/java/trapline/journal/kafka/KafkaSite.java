package trapline.journal.kafka;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.schemas.Codec;
import trapline.schemas.Frame;
import trapline.schemas.Topics;

/// Where a log is in Kafka, for programs that read and write its topics by themselves.
///
/// Good for as long as its journal is open.
public final class KafkaSite {

    private static final String MOST_BYTES = Integer.toString(Clients.LARGEST_RECORD);

    private final KafkaLog log;
    private final KafkaSettings settings;

    KafkaSite(KafkaLog log, KafkaSettings settings) {
        this.log = log;
        this.settings = settings;
    }

    /// As a user would write it.
    public String location() {
        return log.cluster().location();
    }

    /// `host:port`, several with commas.
    public String bootstrapServers() {
        return log.cluster().address();
    }

    /// Kafka's client properties as the user set them, which go before others.
    public Map<String, Object> client() {
        return Map.copyOf(settings.client());
    }

    public Topics topics() {
        return log.topics();
    }

    /// Whole records as this log frames them. Of one thread.
    public <T> Frame<T> frame(Codec<T> codec) {
        return log.frame(codec);
    }

    /// How large a record of ours may be.
    public int largestRecord() {
        return Clients.LARGEST_RECORD;
    }

    /// How long what is derived from sessions is kept.
    public long derivedRetentionMillis() {
        return settings.derivedRetentionMillis();
    }

    /// How many copies of each partition there are to be.
    public int copies() {
        return ask("count its brokers", admin -> (int) layout().copies(admin));
    }

    /// How many partitions a topic has.
    public int partitions(String topic) {
        return ask(
                "use its topics", admin -> describe(admin, List.of(topic)).getOrDefault(topic, 0));
    }

    /// A topic beside those that every log has.
    ///
    /// @param config what differs from our other topics
    public record Added(String name, int partitions, Map<String, String> config) {}

    /// Makes the topics that are missing, and says how many partitions each has.
    public Map<String, Integer> make(List<Added> wanted) {
        return ask("make its topics", admin -> make(admin, wanted));
    }

    /// What Kafka's clients report, in Trapline's terms.
    ///
    /// @param action what could not be done, after "cannot"
    public JournalException failure(Throwable thrown, String action) {
        return KafkaFailure.of(thrown, location(), action);
    }

    /// Whether trying again may help.
    public boolean isPassing(Throwable thrown) {
        return KafkaFailure.isPassing(thrown);
    }

    /// Why the brokers are of no use any more, where that is known.
    public Optional<JournalException> fault() {
        return log.cluster().fault();
    }

    private TopicLayout layout() {
        return new TopicLayout(log.cluster(), settings);
    }

    private interface Question<T> {
        T ask(Admin admin) throws ExecutionException, InterruptedException;
    }

    private <T> T ask(String action, Question<T> question) {
        Admin admin = log.clients().admin();
        try {
            return question.ask(admin);
        } catch (ExecutionException | InterruptedException | KafkaException e) {
            throw failure(e, action);
        } finally {
            admin.close(Clients.LEAVE);
        }
    }

    private Map<String, Integer> make(Admin admin, List<Added> wanted)
            throws ExecutionException, InterruptedException {
        List<String> names = wanted.stream().map(Added::name).toList();
        Map<String, Integer> found = describe(admin, names);
        short copies = layout().copies(admin);
        List<NewTopic> missing =
                wanted.stream()
                        .filter(topic -> !found.containsKey(topic.name()))
                        .map(topic -> topic(topic, copies))
                        .toList();
        for (var created : admin.createTopics(missing).values().values()) {
            try {
                created.get();
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof TopicExistsException)) {
                    throw e;
                }
            }
        }
        return visible(admin, names);
    }

    private static NewTopic topic(Added added, short copies) {
        Map<String, String> config = new HashMap<>();
        config.put("min.insync.replicas", Integer.toString(Math.max(1, copies - 1)));
        config.put("unclean.leader.election.enable", "false");
        config.put("max.message.bytes", MOST_BYTES);
        config.put("compression.type", "producer");
        config.putAll(added.config());
        return new NewTopic(added.name(), added.partitions(), copies).configs(config);
    }

    /// A topic that was made is known to every broker a moment later.
    private Map<String, Integer> visible(Admin admin, List<String> names)
            throws ExecutionException, InterruptedException {
        for (int attempt = 0; attempt < 100; attempt++) {
            Map<String, Integer> found = describe(admin, names);
            if (found.size() == names.size()) {
                return found;
            }
            Thread.sleep(20);
        }
        throw new JournalException(
                Kind.UNREACHABLE, location(), "its new topics do not come into being");
    }

    private static Map<String, Integer> describe(Admin admin, List<String> names)
            throws ExecutionException, InterruptedException {
        Map<String, Integer> partitions = new HashMap<>();
        for (var topic : admin.describeTopics(names).topicNameValues().entrySet()) {
            try {
                TopicDescription description = topic.getValue().get();
                partitions.put(topic.getKey(), description.partitions().size());
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
                    throw e;
                }
            }
        }
        return partitions;
    }
}

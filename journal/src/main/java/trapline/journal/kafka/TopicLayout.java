package trapline.journal.kafka;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.schemas.Topics;

/// The topics of a log as they must be: made where they are missing, checked where they are not.
final class TopicLayout {

    private static final int WANTED_COPIES = 3;
    private static final String FOREVER = "-1";

    private final Cluster cluster;
    private final KafkaSettings settings;
    private final Topics topics;

    TopicLayout(Cluster cluster, KafkaSettings settings) {
        this.cluster = cluster;
        this.settings = settings;
        topics = settings.topics();
    }

    /// Makes the topics that are missing, checks the others, and says how many partitions each has.
    Map<String, Integer> prepare(Admin admin) {
        try {
            Map<String, Integer> found = describe(admin);
            List<String> missing = missing(found.keySet());
            cluster.checkNeverHeld(missing);
            checkSettings(admin, found.keySet());
            if (!missing.isEmpty()) {
                create(admin, missing);
                found.putAll(describe(admin));
            }
            return found;
        } catch (ExecutionException | InterruptedException | KafkaException e) {
            throw KafkaFailure.of(e, cluster.location(), "use its topics");
        }
    }

    /// Makes sure that every topic is there that a reader needs: older versions made fewer of the derived ones.
    ///
    /// @param found the topics that are
    void check(Set<String> found) {
        List<String> missing =
                topics.recordings().stream().filter(name -> !found.contains(name)).toList();
        cluster.checkNeverHeld(missing);
        if (!missing.isEmpty()) {
            throw noLog(missing);
        }
    }

    private List<String> missing(Set<String> found) {
        return topics.all().stream().filter(name -> !found.contains(name)).toList();
    }

    private Map<String, Integer> describe(Admin admin)
            throws ExecutionException, InterruptedException {
        Map<String, Integer> partitions = new HashMap<>();
        for (var topic : admin.describeTopics(topics.all()).topicNameValues().entrySet()) {
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

    private void create(Admin admin, List<String> missing)
            throws ExecutionException, InterruptedException {
        short copies = copies(admin);
        List<NewTopic> wanted =
                missing.stream()
                        .map(name ->
                                new NewTopic(name, partitions(name), copies)
                                        .configs(config(name, copies)))
                        .toList();
        for (KafkaFuture<Void> created : admin.createTopics(wanted).values().values()) {
            try {
                created.get();
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof TopicExistsException)) {
                    throw e;
                }
            }
        }
        awaitVisible(admin);
    }

    /// A topic that was made is known to every broker a moment later.
    private void awaitVisible(Admin admin) throws ExecutionException, InterruptedException {
        for (int attempt = 0; attempt < 100; attempt++) {
            if (describe(admin).size() == topics.all().size()) {
                return;
            }
            Thread.sleep(20);
        }
        throw new JournalException(
                Kind.UNREACHABLE, cluster.location(), "its new topics do not come into being");
    }

    short copies(Admin admin) throws ExecutionException, InterruptedException {
        if (settings.replicationFactor().isPresent()) {
            return (short) settings.replicationFactor().getAsInt();
        }
        return (short) Math.min(WANTED_COPIES, admin.describeCluster().nodes().get().size());
    }

    /// Sessions spread over the partitions of what grows with them; the rest has one.
    private int partitions(String topic) {
        boolean spread =
                isDerived(topic) || Set.of(topics.events(), topics.checkpoints()).contains(topic);
        return spread ? settings.partitions().orElse(cluster.defaultPartitions()) : 1;
    }

    private Map<String, String> config(String topic, short copies) {
        Map<String, String> config = new HashMap<>();
        config.put("min.insync.replicas", Integer.toString(Math.max(1, copies - 1)));
        config.put("unclean.leader.election.enable", "false");
        config.put("max.message.bytes", Integer.toString(Clients.LARGEST_RECORD));
        config.put("compression.type", "producer");
        if (isCompacted(topic)) {
            config.put("cleanup.policy", "compact");
            config.put("segment.bytes", Integer.toString(16 << 20));
            config.put("min.cleanable.dirty.ratio", "0.2");
        } else {
            config.put("cleanup.policy", "delete");
            config.put(
                    "retention.ms",
                    isDerived(topic) ? Long.toString(settings.derivedRetentionMillis()) : FOREVER);
            config.put("retention.bytes", FOREVER);
            config.put("segment.bytes", Integer.toString(256 << 20));
        }
        return config;
    }

    private boolean isCompacted(String topic) {
        return Set.of(topics.sessions(), topics.blobs(), topics.schemas()).contains(topic);
    }

    private boolean isDerived(String topic) {
        return topics.derived().contains(topic);
    }

    private void checkSettings(Admin admin, Set<String> found)
            throws ExecutionException, InterruptedException {
        List<ConfigResource> resources =
                found.stream()
                        .filter(name -> !isDerived(name))
                        .map(name -> new ConfigResource(ConfigResource.Type.TOPIC, name))
                        .toList();
        if (resources.isEmpty()) {
            return;
        }
        List<String> problems = new ArrayList<>();
        admin.describeConfigs(resources)
                .all()
                .get()
                .forEach((topic, config) -> problems.addAll(problems(topic.name(), config)));
        if (!problems.isEmpty()) {
            throw new JournalException(
                    Kind.REFUSED,
                    cluster.location(),
                    "these topics would lose recordings: "
                            + problems.stream().sorted().collect(Collectors.joining("; ")));
        }
    }

    private List<String> problems(String topic, Config config) {
        List<String> problems = new ArrayList<>();
        String policy = config.get("cleanup.policy").value();
        String wanted = isCompacted(topic) ? "compact" : "delete";
        if (!policy.equals(wanted) && !policy.isEmpty()) {
            problems.add(problem(topic, "cleanup.policy", wanted, policy));
        }
        if (!isCompacted(topic) && !policy.isEmpty()) {
            for (String limit : List.of("retention.ms", "retention.bytes")) {
                String value = config.get(limit).value();
                if (!FOREVER.equals(value)) {
                    problems.add(problem(topic, limit, FOREVER, value));
                }
            }
        }
        return problems;
    }

    private static String problem(String topic, String key, String wanted, String found) {
        return "%s: expected %s=%s, found %s".formatted(topic, key, wanted, found);
    }

    private JournalException noLog(List<String> missing) {
        return new JournalException(
                Kind.NO_LOG,
                cluster.location(),
                "no log is here yet (no topic %s): record a session first, or check %s"
                        .formatted(missing.getFirst(), "trapline.topic.prefix"));
    }
}

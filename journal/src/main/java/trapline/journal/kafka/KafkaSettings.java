package trapline.journal.kafka;

import java.io.IOException;
import java.io.Reader;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.journal.Suggestion;
import trapline.journal.disk.DiskFailure;
import trapline.schemas.Topics;

/// What a `--kafka-config` file says: Kafka's client properties, and Trapline's own among them.
///
/// @param partitions of the topics of events; empty for the default
/// @param replicationFactor of every topic; empty for the default
/// @param derivedRetentionMillis how long exits and their statistics are kept
/// @param client Kafka's properties, which go before ours
public record KafkaSettings(
        Topics topics,
        OptionalInt partitions,
        OptionalInt replicationFactor,
        long derivedRetentionMillis,
        Optional<URI> registry,
        Map<String, String> client) {

    private static final String OWN = "trapline.";
    private static final String PREFIX = "trapline.topic.prefix";
    private static final String PARTITIONS = "trapline.topic.partitions";
    private static final String REPLICATION = "trapline.topic.replication.factor";
    private static final String RETENTION = "trapline.topic.derived.retention.ms";
    private static final String REGISTRY = "trapline.schema.registry.url";
    private static final Set<String> OWN_KEYS =
            Set.of(PREFIX, PARTITIONS, REPLICATION, RETENTION, REGISTRY);

    private static final long WEEK_MILLIS = 7L * 24 * 60 * 60 * 1000;

    public static final KafkaSettings DEFAULT =
            new KafkaSettings(
                    Topics.DEFAULT,
                    OptionalInt.empty(),
                    OptionalInt.empty(),
                    WEEK_MILLIS,
                    Optional.empty(),
                    Map.of());

    /// What the guarantees stand on: a file may repeat these values but not change them.
    private static final Map<String, Set<String>> FIXED =
            Map.of(
                    ProducerConfig.ACKS_CONFIG, Set.of("all", "-1"),
                    ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, Set.of("true"),
                    ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION,
                            Set.of("1", "2", "3", "4", "5"),
                    ConsumerConfig.CHECK_CRCS_CONFIG, Set.of("true"));

    /// What Trapline sets itself, because nothing else would work.
    private static final Set<String> OURS =
            Set.of(
                    "bootstrap.servers",
                    "key.serializer",
                    "value.serializer",
                    "key.deserializer",
                    "value.deserializer",
                    "transactional.id",
                    "group.id",
                    "group.instance.id",
                    "auto.offset.reset",
                    "enable.auto.commit");

    public static KafkaSettings read(Path file) {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file)) {
            properties.load(reader);
        } catch (IOException e) {
            throw wrong(file, "cannot be read: " + DiskFailure.reason(e));
        } catch (IllegalArgumentException e) {
            throw wrong(file, "is not a properties file: " + e.getMessage());
        }
        Map<String, String> client = new TreeMap<>();
        Map<String, String> own = new TreeMap<>();
        for (String key : properties.stringPropertyNames()) {
            String value = properties.getProperty(key).strip();
            (key.startsWith(OWN) ? own : client).put(key, value);
        }
        own.keySet().forEach(key -> checkOwn(file, key));
        client.forEach((key, value) -> checkClient(file, key, value));
        return of(file, own, client);
    }

    private static KafkaSettings of(
            Path file, Map<String, String> own, Map<String, String> client) {
        return new KafkaSettings(
                value(own, PREFIX, text -> new Topics(prefix(file, text))).orElse(Topics.DEFAULT),
                count(file, own, PARTITIONS, 10_000),
                count(file, own, REPLICATION, 100),
                value(own, RETENTION, text -> number(file, RETENTION, text, -1, Long.MAX_VALUE))
                        .orElse(WEEK_MILLIS),
                value(own, REGISTRY, text -> url(file, text)),
                client);
    }

    private static <T> Optional<T> value(
            Map<String, String> own, String key, Function<String, T> parse) {
        return Optional.ofNullable(own.get(key)).map(parse);
    }

    private static OptionalInt count(Path file, Map<String, String> own, String key, int limit) {
        String text = own.get(key);
        return text == null
                ? OptionalInt.empty()
                : OptionalInt.of((int) number(file, key, text, 1, limit));
    }

    private static long number(Path file, String key, String text, long least, long most) {
        try {
            long number = Long.parseLong(text);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw wrong(
                file,
                "%s: expected a number from %d to %d, found %s".formatted(key, least, most, text));
    }

    private static String prefix(Path file, String text) {
        if (!text.matches("[A-Za-z0-9._-]{1,200}")) {
            throw wrong(
                    file,
                    PREFIX + ": expected letters, digits, '.', '_' and '-', found '" + text + "'");
        }
        return text;
    }

    private static URI url(Path file, String text) {
        try {
            URI url = URI.create(text.endsWith("/") ? text : text + "/");
            if (Set.of("http", "https").contains(String.valueOf(url.getScheme()))
                    && url.getHost() != null) {
                return url;
            }
        } catch (IllegalArgumentException e) {
            // Said below.
        }
        throw wrong(file, REGISTRY + ": expected http://… or https://…, found '" + text + "'");
    }

    private static void checkOwn(Path file, String key) {
        if (!OWN_KEYS.contains(key)) {
            throw wrong(file, "%s is not known%s".formatted(key, Suggestion.hint(key, OWN_KEYS)));
        }
    }

    private static void checkClient(Path file, String key, String value) {
        if (OURS.contains(key)) {
            throw wrong(file, key + " is Trapline's own to set; leave it out");
        }
        Set<String> allowed = FIXED.get(key);
        if (allowed != null && !allowed.contains(value)) {
            throw wrong(
                    file,
                    "%s=%s would break what Trapline promises; leave it out".formatted(key, value));
        }
        Set<String> known = clientKeys();
        if (!known.contains(key)) {
            Suggestion.nearest(key, known)
                    .ifPresent(near -> {
                        throw wrong(
                                file,
                                "%s is not a property of Kafka's clients; did you mean %s?"
                                        .formatted(key, near));
                    });
        }
    }

    private static Set<String> clientKeys() {
        Set<String> keys = new TreeSet<>(ProducerConfig.configNames());
        keys.addAll(ConsumerConfig.configNames());
        keys.addAll(AdminClientConfig.configNames());
        return keys;
    }

    private static JournalException wrong(Path file, String message) {
        return new JournalException(Kind.CONFIGURATION, file.toString(), message);
    }
}

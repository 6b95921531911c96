package trapline.fleet;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import trapline.journal.JournalException;
import trapline.journal.kafka.KafkaSite;

/// One Kafka Streams application on a log: exactly once, in memory, silent.
public final class Streaming implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(8);

    /// How often in a row a thread that failed is followed by another before the application gives up.
    private static final int MOST_FAILURES = 20;

    private final KafkaSite site;
    private final Path folder;
    private final KafkaStreams streams;
    private volatile JournalException failure;
    private final AtomicInteger failures = new AtomicInteger();

    /// @param name the application's, behind the log's prefix
    /// @param settings what differs from those of our other applications
    public Streaming(KafkaSite site, String name, Topology topology, Map<String, Object> settings) {
        this.site = site;
        folder = temporary();
        Properties properties = new Properties();
        properties.putAll(common(name));
        properties.putAll(site.client());
        properties.putAll(settings);
        try {
            streams = new KafkaStreams(topology, properties);
        } catch (KafkaException e) {
            remove(folder);
            throw site.failure(e, "run " + name);
        }
        streams.setUncaughtExceptionHandler(this::failed);
        streams.setStateListener((now, _) -> changed(now));
    }

    public void start() {
        streams.start();
    }

    public KafkaStreams streams() {
        return streams;
    }

    /// Why it works no more, if it does not.
    public Optional<JournalException> failure() {
        return Optional.ofNullable(failure);
    }

    private Map<String, Object> common(String name) {
        Map<String, Object> settings = new HashMap<>();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, site.topics().prefix() + "-" + name);
        settings.put(
                StreamsConfig.CLIENT_ID_CONFIG,
                "trapline-" + name + "-" + ProcessHandle.current().pid());
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, site.bootstrapServers());
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        int copies = site.copies();
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, copies);
        settings.put(
                StreamsConfig.topicPrefix("min.insync.replicas"),
                Integer.toString(Math.max(1, copies - 1)));
        settings.put(
                StreamsConfig.topicPrefix("max.message.bytes"),
                Integer.toString(site.largestRecord()));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, folder.toString());
        settings.put(StreamsConfig.ACCEPTABLE_RECOVERY_LAG_CONFIG, Long.MAX_VALUE);
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        settings.put(StreamsConfig.METRIC_REPORTER_CLASSES_CONFIG, "");
        settings.put(StreamsConfig.ENABLE_METRICS_PUSH_CONFIG, false);
        settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        settings.put(StreamsConfig.consumerPrefix("session.timeout.ms"), 10_000);
        settings.put(StreamsConfig.consumerPrefix("heartbeat.interval.ms"), 1_500);
        settings.put(StreamsConfig.producerPrefix("transaction.timeout.ms"), 10_000);
        settings.put(StreamsConfig.producerPrefix("linger.ms"), 5);
        settings.put(StreamsConfig.producerPrefix("compression.type"), "lz4");
        settings.put(StreamsConfig.producerPrefix("max.request.size"), site.largestRecord());
        settings.put("reconnect.backoff.max.ms", 500);
        return settings;
    }

    private void changed(KafkaStreams.State now) {
        if (now == KafkaStreams.State.RUNNING) {
            failures.set(0);
        }
    }

    /// A broker may be away for a while; what was not committed is then done again.
    private synchronized StreamThreadExceptionResponse failed(Throwable thrown) {
        Throwable cause = thrown;
        while (cause.getCause() != null && cause instanceof KafkaException) {
            cause = cause.getCause();
        }
        int sofar = failures.incrementAndGet();
        if (cause instanceof KafkaException && site.isPassing(cause) && sofar < MOST_FAILURES) {
            return StreamThreadExceptionResponse.REPLACE_THREAD;
        }
        failure = site.failure(cause, "go on");
        return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
    }

    /// Leaves its group, so that others take over at once.
    @Override
    public void close() {
        streams.close(
                CloseOptions.groupMembershipOperation(
                                CloseOptions.GroupMembershipOperation.LEAVE_GROUP)
                        .withTimeout(PATIENCE));
        remove(folder);
    }

    private static Path temporary() {
        try {
            return Files.createTempDirectory("trapline-worker");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void remove(Path folder) {
        try {
            Files.walkFileTree(
                    folder,
                    new SimpleFileVisitor<>() {
                        @Override
                        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                                throws IOException {
                            Files.deleteIfExists(file);
                            return FileVisitResult.CONTINUE;
                        }

                        @Override
                        public FileVisitResult postVisitDirectory(Path visited, IOException thrown)
                                throws IOException {
                            Files.deleteIfExists(visited);
                            return FileVisitResult.CONTINUE;
                        }
                    });
        } catch (IOException e) {
            // Some files of ours stay in a temporary folder.
        }
    }
}

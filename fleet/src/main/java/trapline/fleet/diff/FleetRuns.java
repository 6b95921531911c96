package trapline.fleet.diff;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import trapline.engine.cost.CostProfile;
import trapline.engine.policy.Policy;
import trapline.journal.Journal;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.journal.kafka.KafkaJournal;
import trapline.journal.kafka.KafkaSite;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.ClosingRecord;
import trapline.schemas.Digest;
import trapline.schemas.FleetResult;
import trapline.schemas.FleetRun;
import trapline.schemas.FleetTask;
import trapline.schemas.Frame;
import trapline.schemas.WireException;

/// The runs of a log: submits them, finds them again, reads their results.
public final class FleetRuns {

    /// How far the clocks of workers may be behind a submitter's.
    private static final long CLOCKS_MILLIS = 24L * 60 * 60 * 1000;

    private static final Duration SLICE = Duration.ofMillis(200);

    private final Journal journal;
    private final KafkaSite site;
    private long unreadable;

    /// @throws JournalException where the log is not in Kafka
    public FleetRuns(Journal journal) {
        this.journal = journal;
        if (!(journal instanceof KafkaJournal kafka)) {
            throw new JournalException(
                    Kind.CONFIGURATION,
                    journal.location(),
                    "workers share a log in Kafka, which a file is not");
        }
        site = kafka.site();
    }

    /// What is to be compared with what.
    ///
    /// @param base empty for the policy that each session recorded
    /// @param costs empty for each platform's own
    public record Question(Optional<Policy> base, Policy candidate, Optional<CostProfile> costs) {}

    /// A run that was submitted, and the sessions it is about.
    ///
    /// @param open sessions that match but are still being recorded, which it leaves out
    /// @param imported traces, which name no policy to compare with and are not what `*` means
    public record Submitted(FleetRun run, List<String> sessions, int open, int imported) {}

    /// Submits a task for each session whose id or guest matches; all or none.
    public Submitted submit(SessionPattern pattern, Question question) {
        FleetTopics.make(site);
        List<CatalogueEntry> all = journal.sessions().stream().filter(pattern::matches).toList();
        List<CatalogueEntry> matching =
                all.stream()
                        .filter(entry -> !pattern.isAny() || !entry.header().imported())
                        .toList();
        List<CatalogueEntry> ended =
                matching.stream()
                        .filter(entry -> entry.status() != Status.OPEN)
                        .sorted(Comparator.comparingLong(FleetRuns::events).reversed())
                        .toList();
        String name = "run-" + Long.toString(new SecureRandom().nextLong(1L << 40), 36);
        byte[] candidate = question.candidate().identity().text().getBytes(StandardCharsets.UTF_8);
        FleetRun run =
                new FleetRun(
                        name,
                        System.currentTimeMillis(),
                        pattern.text(),
                        question.base().map(policy -> policy.identity().text()),
                        question.candidate().identity().text(),
                        Digest.of(candidate),
                        question.costs().map(CostProfile::text),
                        question.costs().map(CostProfile::name),
                        0,
                        ended.size());
        if (!ended.isEmpty()) {
            write(run, spread(ended));
        }
        return new Submitted(
                run,
                ended.stream().map(entry -> entry.header().session()).toList(),
                matching.size() - ended.size(),
                all.size() - matching.size());
    }

    private static long events(CatalogueEntry entry) {
        return entry.closing().map(ClosingRecord::events).orElse(entry.acknowledged());
    }

    /// The largest first, each to the partition that has least so far.
    private List<List<CatalogueEntry>> spread(List<CatalogueEntry> largestFirst) {
        int partitions = site.partitions(site.topics().fleetTasks());
        List<List<CatalogueEntry>> shares = new ArrayList<>();
        long[] load = new long[partitions];
        for (int i = 0; i < partitions; i++) {
            shares.add(new ArrayList<>());
        }
        for (CatalogueEntry entry : largestFirst) {
            int least = 0;
            for (int i = 1; i < partitions; i++) {
                least = load[i] < load[least] ? i : least;
            }
            shares.get(least).add(entry);
            load[least] += 1 + events(entry);
        }
        return shares;
    }

    private void write(FleetRun run, List<List<CatalogueEntry>> shares) {
        Frame<FleetRun> runs = site.frame(FleetRun.CODEC);
        Frame<FleetTask> tasks = site.frame(FleetTask.CODEC);
        try (Producer<byte[], byte[]> producer = producer(run.run())) {
            producer.initTransactions();
            producer.beginTransaction();
            for (int partition = 0; partition < shares.size(); partition++) {
                List<CatalogueEntry> share = shares.get(partition);
                if (!share.isEmpty()) {
                    send(producer, partition, run.run(), runs.encode(run.withTasks(share.size())));
                }
                for (CatalogueEntry entry : share) {
                    String session = entry.header().session();
                    FleetTask task = new FleetTask(run.run(), session, events(entry), 0);
                    send(producer, partition, FleetKeys.of(run.run(), session), tasks.encode(task));
                }
            }
            producer.commitTransaction();
        } catch (KafkaException e) {
            throw site.failure(e, "submit the run");
        }
    }

    /// What cannot be sent fails the transaction.
    private void send(Producer<byte[], byte[]> producer, int partition, String key, byte[] value) {
        var _ =
                producer.send(
                        new ProducerRecord<>(
                                site.topics().fleetTasks(),
                                partition,
                                FleetKeys.bytes(key).get(),
                                value));
    }

    private Producer<byte[], byte[]> producer(String run) {
        Map<String, Object> settings = client();
        settings.put("transactional.id", site.topics().prefix() + "-submit-" + run);
        settings.put("compression.type", "lz4");
        settings.put("linger.ms", 5);
        settings.put("max.request.size", site.largestRecord());
        settings.putAll(site.client());
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /// Every run whose tasks the log still has, oldest first.
    public List<FleetRun> runs() {
        Map<String, FleetRun> found = new TreeMap<>();
        Frame<FleetRun> frame = site.frame(FleetRun.CODEC);
        scan(
                site.topics().fleetTasks(),
                0,
                record -> {
                    if (record.key() == null) {
                        unreadable++;
                    } else if (!FleetKeys.isTask(FleetKeys.text(record.key()))) {
                        read(frame, record).ifPresent(run -> found.put(run.run(), run));
                    }
                });
        return found.values().stream()
                .sorted(Comparator.comparingLong(FleetRun::createdMillis))
                .toList();
    }

    /// A run by its name, or how only that begins.
    ///
    /// @throws JournalException if there is none
    public FleetRun find(String name) {
        List<FleetRun> found = runs().stream().filter(run -> run.run().startsWith(name)).toList();
        if (found.size() == 1) {
            return found.getFirst();
        }
        throw new JournalException(
                found.isEmpty() ? Kind.NO_SESSION : Kind.AMBIGUOUS,
                site.location(),
                found.isEmpty()
                        ? "no run begins with '%s'; 'fleet status' lists them".formatted(name)
                        : "%d runs begin with '%s'".formatted(found.size(), name));
    }

    /// The results that a run has by now.
    public void results(FleetRun run, Consumer<FleetResult> taker) {
        Frame<FleetResult> frame = site.frame(FleetResult.CODEC);
        scan(site.topics().fleetResults(), since(run), record -> take(run, frame, record, taker));
    }

    private static long since(FleetRun run) {
        return Math.max(0, run.createdMillis() - CLOCKS_MILLIS);
    }

    /// A damaged result is one, too: nobody is to wait for another.
    private void take(
            FleetRun run,
            Frame<FleetResult> frame,
            ConsumerRecord<byte[], byte[]> record,
            Consumer<FleetResult> taker) {
        if (record.key() == null) {
            unreadable++;
            return;
        }
        String key = FleetKeys.text(record.key());
        if (key.startsWith(FleetKeys.of(run.run(), ""))) {
            taker.accept(read(frame, record).orElseGet(() -> damaged(run, key)));
        }
    }

    private <T> Optional<T> read(Frame<T> frame, ConsumerRecord<byte[], byte[]> record) {
        if (record.value() != null) {
            try {
                return Optional.of(frame.decode(record.value()));
            } catch (WireException e) {
                // Counted below.
            }
        }
        unreadable++;
        return Optional.empty();
    }

    private static FleetResult damaged(FleetRun run, String key) {
        return SessionDiff.failed(
                new FleetTask(run.run(), FleetKeys.session(key), 0, 0),
                "its result in the log is damaged",
                System.currentTimeMillis());
    }

    /// Records that were skipped because they are damaged.
    public long unreadable() {
        return unreadable;
    }

    /// The results that a run has, and those that come, for as long as they are wanted.
    ///
    /// @throws JournalException if some may have been deleted by age, and would never come
    public void follow(FleetRun run, Consumer<FleetResult> taker, BooleanSupplier wanted) {
        checkAge(run);
        Frame<FleetResult> frame = site.frame(FleetResult.CODEC);
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            Pulse pulse =
                    new Pulse(consumer, seek(consumer, site.topics().fleetResults(), since(run)));
            while (wanted.getAsBoolean()) {
                ConsumerRecords<byte[], byte[]> records = consumer.poll(SLICE);
                records.forEach(record -> take(run, frame, record, taker));
                pulse.polled(!records.isEmpty());
                site.fault()
                        .ifPresent(fault -> {
                            throw fault;
                        });
            }
        } catch (KafkaException e) {
            throw site.failure(e, "read the results");
        }
    }

    private void checkAge(FleetRun run) {
        Duration kept = Duration.ofMillis(site.derivedRetentionMillis());
        if (kept.isPositive()
                && run.createdMillis() < System.currentTimeMillis() - kept.toMillis()) {
            throw new JournalException(
                    Kind.NO_SESSION,
                    site.location(),
                    "%s is of %s, and results are kept for %d hours; 'fleet status %s' has what is left"
                            .formatted(
                                    run.run(),
                                    Instant.ofEpochMilli(run.createdMillis()),
                                    kept.toHours(),
                                    run.run()));
        }
    }

    private void scan(
            String topic, long sinceMillis, Consumer<ConsumerRecord<byte[], byte[]>> taker) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            List<TopicPartition> partitions = seek(consumer, topic, sinceMillis);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            Pulse pulse = new Pulse(consumer, partitions);
            while (ends.entrySet().stream()
                    .anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                ConsumerRecords<byte[], byte[]> records = consumer.poll(SLICE);
                records.forEach(taker);
                pulse.polled(!records.isEmpty());
            }
        } catch (KafkaException e) {
            throw site.failure(e, "read its runs");
        }
    }

    /// None where nobody has made the topic.
    private List<TopicPartition> seek(
            KafkaConsumer<byte[], byte[]> consumer, String topic, long sinceMillis) {
        List<TopicPartition> partitions =
                IntStream.range(0, site.partitions(topic))
                        .mapToObj(partition -> new TopicPartition(topic, partition))
                        .toList();
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        if (sinceMillis > 0) {
            Map<TopicPartition, Long> times = new HashMap<>();
            partitions.forEach(partition -> times.put(partition, sinceMillis));
            consumer.offsetsForTimes(times)
                    .forEach((partition, found) -> {
                        if (found != null) {
                            consumer.seek(partition, found.offset());
                        } else {
                            consumer.seekToEnd(List.of(partition));
                        }
                    });
        }
        return partitions;
    }

    private KafkaConsumer<byte[], byte[]> consumer() {
        Map<String, Object> settings = client();
        settings.put("isolation.level", "read_committed");
        settings.put("enable.auto.commit", false);
        settings.put("allow.auto.create.topics", false);
        settings.put("auto.offset.reset", "earliest");
        settings.putAll(site.client());
        return new KafkaConsumer<>(
                settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private Map<String, Object> client() {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", site.bootstrapServers());
        settings.put("metric.reporters", "");
        settings.put("enable.metrics.push", false);
        settings.put("reconnect.backoff.max.ms", 500);
        return settings;
    }
}

package trapline.fleet.diff;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import trapline.fleet.Streaming;
import trapline.journal.JournalException;
import trapline.journal.kafka.KafkaSite;
import trapline.schemas.FleetResult;
import trapline.schemas.FleetRun;
import trapline.schemas.FleetTask;
import trapline.schemas.Frame;

/// Evaluates this worker's share of the tasks that anybody has submitted to the log.
public final class Diffs implements AutoCloseable {

    private static final Duration LEAVE = Duration.ofSeconds(2);

    /// Brokers that did not take one partition's tasks are not asked to take those of the others.
    private static final Duration SILENCE = Duration.ofSeconds(10);

    private final FleetCounters counters = new FleetCounters();
    private final KafkaSite site;
    private final Evaluator evaluator;
    private final Pool pool;
    private final Producer<byte[], byte[]> leaving;
    private final Streaming streaming;
    private volatile long silence = System.nanoTime();

    /// @param parallel how many sessions are evaluated at once
    public Diffs(KafkaSite site, Evaluator evaluator, int parallel) {
        this.site = site;
        this.evaluator = evaluator;
        FleetTopics.make(site);
        pool = new Pool(parallel);
        leaving = producer();
        streaming =
                new Streaming(
                        site,
                        "fleet",
                        topology(),
                        Map.of(
                                StreamsConfig.NUM_STREAM_THREADS_CONFIG,
                                1,
                                StreamsConfig.COMMIT_INTERVAL_MS_CONFIG,
                                200,
                                StreamsConfig.POLL_MS_CONFIG,
                                50));
        streaming.start();
    }

    private Producer<byte[], byte[]> producer() {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", site.bootstrapServers());
        settings.put("metric.reporters", "");
        settings.put("enable.metrics.push", false);
        settings.put("max.block.ms", 2_000);
        settings.putAll(site.client());
        try {
            return new KafkaProducer<>(
                    settings, new ByteArraySerializer(), new ByteArraySerializer());
        } catch (KafkaException e) {
            pool.close();
            throw site.failure(e, "write to it");
        }
    }

    private Topology topology() {
        Topology topology = new Topology();
        topology.addSource(
                "tasks-read",
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer(),
                site.topics().fleetTasks());
        topology.addProcessor("desk", new Desks(), "tasks-read");
        topology.addSink(
                "results",
                site.topics().fleetResults(),
                new ByteArraySerializer(),
                new ByteArraySerializer(),
                "desk");
        return topology;
    }

    private final class Desks implements ProcessorSupplier<byte[], byte[], byte[], byte[]> {

        @Override
        public Processor<byte[], byte[], byte[], byte[]> get() {
            return new TaskDesk(
                    evaluator,
                    pool,
                    Diffs.this::giveBack,
                    counters,
                    new TaskDesk.Frames(
                            site.frame(FleetRun.CODEC),
                            site.frame(FleetTask.CODEC),
                            site.frame(FleetResult.CODEC)));
        }

        @Override
        public Set<StoreBuilder<?>> stores() {
            return Set.of(
                    Stores.keyValueStoreBuilder(
                                    Stores.inMemoryKeyValueStore(TaskDesk.STORE),
                                    Serdes.Bytes(),
                                    Serdes.ByteArray())
                            .withLoggingEnabled(
                                    Map.of("segment.bytes", Integer.toString(16 << 20))));
        }
    }

    /// Whether or not this comes through, the tasks are done; without it, by suspicion, alone.
    private void giveBack(int partition, List<FleetTask> tasks) {
        if (System.nanoTime() - silence < 0) {
            return;
        }
        try {
            sendAll(partition, tasks, System.nanoTime() + LEAVE.toNanos());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException | KafkaException e) {
            silence = System.nanoTime() + SILENCE.toNanos();
        }
    }

    private void sendAll(int partition, List<FleetTask> tasks, long deadline)
            throws InterruptedException, ExecutionException, TimeoutException {
        Frame<FleetTask> frame = site.frame(FleetTask.CODEC);
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (FleetTask task : tasks) {
            if (System.nanoTime() - deadline > 0) {
                throw new TimeoutException();
            }
            sent.add(
                    leaving.send(
                            new ProducerRecord<>(
                                    site.topics().fleetTasks(),
                                    partition,
                                    FleetKeys.bytes(FleetKeys.of(task.run(), task.session())).get(),
                                    frame.encode(task.startedTimes(-1)))));
        }
        for (Future<RecordMetadata> one : sent) {
            one.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        }
    }

    public FleetCounters counters() {
        return counters;
    }

    /// What it is doing, as Kafka Streams names it.
    public String state() {
        return streaming.streams().state().name();
    }

    /// Why it works no more, if it does not.
    public Optional<JournalException> failure() {
        return streaming.failure();
    }

    @Override
    public void close() {
        streaming.close();
        pool.close();
        try {
            leaving.close(Duration.ofSeconds(1));
        } catch (KafkaException e) {
            // Nothing is left to be said.
        }
    }
}

package trapline.fleet.statistics;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyQueryMetadata;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.state.HostInfo;
import org.apache.kafka.streams.state.QueryableStoreType;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.internals.StateStoreProvider;
import trapline.fleet.Streaming;
import trapline.journal.JournalException;
import trapline.journal.kafka.KafkaSite;
import trapline.schemas.ExitGlance;
import trapline.schemas.ExitWindow;
import trapline.schemas.Frame;

/// Counts the exits of this worker's share of the log's partitions, and knows who has the others.
public final class Statistics implements AutoCloseable {

    private final Counters counters = new Counters();
    private final KafkaSite site;
    private final Streaming streaming;

    /// @param advertised host and port where this worker answers, as others are told
    /// @param threads how many partitions are counted at once
    public Statistics(KafkaSite site, String advertised, int threads) {
        this.site = site;
        site.make(List.of(windows()));
        streaming =
                new Streaming(
                        site,
                        "statistics",
                        topology(),
                        Map.of(
                                StreamsConfig.NUM_STREAM_THREADS_CONFIG,
                                threads,
                                StreamsConfig.APPLICATION_SERVER_CONFIG,
                                advertised,
                                StreamsConfig.COMMIT_INTERVAL_MS_CONFIG,
                                300,
                                StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG,
                                20_000,
                                StreamsConfig.mainConsumerPrefix("max.poll.records"),
                                5_000,
                                StreamsConfig.mainConsumerPrefix("max.partition.fetch.bytes"),
                                2 << 20,
                                StreamsConfig.mainConsumerPrefix("fetch.max.bytes"),
                                8 << 20));
        streaming.start();
    }

    private KafkaSite.Added windows() {
        return new KafkaSite.Added(
                site.topics().exitWindows(),
                site.partitions(site.topics().exits()),
                Map.of(
                        "cleanup.policy",
                        "compact,delete",
                        "retention.ms",
                        Long.toString(site.derivedRetentionMillis()),
                        "segment.bytes",
                        Integer.toString(64 << 20),
                        "min.cleanable.dirty.ratio",
                        "0.5"));
    }

    private Topology topology() {
        Topology topology = new Topology();
        topology.addSource(
                "exits",
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer(),
                site.topics().exits());
        topology.addProcessor("count", new Counting(), "exits");
        topology.addSink(
                "changed",
                site.topics().exitWindows(),
                new ByteArraySerializer(),
                new ByteArraySerializer(),
                "count");
        return topology;
    }

    private final class Counting implements ProcessorSupplier<byte[], byte[], byte[], byte[]> {

        @Override
        public Processor<byte[], byte[], byte[], byte[]> get() {
            return new WindowCounting(site.frame(new ExitGlance().codec()), counters);
        }

        @Override
        public Set<StoreBuilder<?>> stores() {
            return Set.of(new Building());
        }
    }

    /// Makes each partition's store.
    private final class Building implements StoreBuilder<WindowStore> {

        @Override
        public StoreBuilder<WindowStore> withCachingEnabled() {
            return this;
        }

        @Override
        public StoreBuilder<WindowStore> withCachingDisabled() {
            return this;
        }

        @Override
        public StoreBuilder<WindowStore> withLoggingEnabled(Map<String, String> config) {
            return this;
        }

        @Override
        public StoreBuilder<WindowStore> withLoggingDisabled() {
            return this;
        }

        @Override
        public WindowStore build() {
            return new WindowStore(
                    Stores.keyValueStoreBuilder(
                                    Stores.inMemoryKeyValueStore(name()),
                                    Serdes.Bytes(),
                                    Serdes.ByteArray())
                            .withLoggingEnabled(logConfig())
                            .build(),
                    site.frame(ExitWindow.CODEC));
        }

        @Override
        public Map<String, String> logConfig() {
            return Map.of("segment.bytes", Integer.toString(16 << 20));
        }

        @Override
        public boolean loggingEnabled() {
            return true;
        }

        @Override
        public String name() {
            return WindowCounting.STORE;
        }
    }

    /// Finds our stores among all that Streams has.
    private static final class Queried implements QueryableStoreType<List<WindowStore>> {

        @Override
        public boolean accepts(StateStore store) {
            return store instanceof WindowStore;
        }

        @Override
        public List<WindowStore> create(StateStoreProvider provider, String name) {
            return provider.stores(
                    name,
                    new QueryableStoreType<WindowStore>() {
                        @Override
                        public boolean accepts(StateStore store) {
                            return store instanceof WindowStore;
                        }

                        @Override
                        public WindowStore create(StateStoreProvider inner, String store) {
                            throw new UnsupportedOperationException();
                        }
                    });
        }
    }

    /// The worker that is said to have a partition.
    public record Owner(String host, int port, int partition) {

        public String address() {
            return host + ":" + port;
        }
    }

    /// The worker that has a session's windows; empty while nobody does.
    public Optional<Owner> owner(String session) {
        try {
            KeyQueryMetadata found =
                    streaming
                            .streams()
                            .queryMetadataForKey(
                                    WindowCounting.STORE, session, Serdes.String().serializer());
            return found.equals(KeyQueryMetadata.NOT_AVAILABLE)
                            || found.activeHost().equals(HostInfo.unavailable())
                    ? Optional.empty()
                    : Optional.of(
                            new Owner(
                                    found.activeHost().host(),
                                    found.activeHost().port(),
                                    found.partition()));
        } catch (IllegalStateException | InvalidStateStoreException e) {
            return Optional.empty();
        }
    }

    /// The windows of a session that this worker keeps, oldest first; empty while it cannot tell,
    /// as when it has not that partition, whatever is said.
    public Optional<List<ExitWindow>> windows(String session, int partition) {
        try {
            return stores().stream()
                    .filter(store -> store.partition() == partition)
                    .findFirst()
                    .map(store -> windows(store, session));
        } catch (InvalidStateStoreException e) {
            return Optional.empty();
        }
    }

    private List<ExitWindow> windows(WindowStore store, String session) {
        Frame<ExitWindow> frame = site.frame(ExitWindow.CODEC);
        List<ExitWindow> found =
                store.of(session).stream().map(frame::decode).sorted(ORDER).toList();
        if (!store.isOpen()) {
            throw new InvalidStateStoreException("closed meanwhile");
        }
        return found;
    }

    private static final Comparator<ExitWindow> ORDER =
            Comparator.comparingLong(ExitWindow::sizeMillis)
                    .thenComparingLong(ExitWindow::beginMillis)
                    .thenComparingInt(ExitWindow::vcpu);

    private List<WindowStore> stores() {
        return streaming
                .streams()
                .store(StoreQueryParameters.fromNameAndType(WindowCounting.STORE, new Queried()));
    }

    public Counters counters() {
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
    }
}

package trapline.fleet.diff;

import java.util.List;
import java.util.Map;
import trapline.journal.kafka.KafkaSite;

/// The two topics that runs need, made by who comes first: a submitter or a worker.
final class FleetTopics {

    /// Tasks are heavy and few: more partitions share them out more evenly, among 24 workers at most.
    private static final int LEAST_PARTITIONS = 24;

    private FleetTopics() {}

    static void make(KafkaSite site) {
        int partitions = Math.max(LEAST_PARTITIONS, site.partitions(site.topics().exits()));
        String kept = Long.toString(site.derivedRetentionMillis());
        site.make(
                List.of(
                        new KafkaSite.Added(
                                site.topics().fleetTasks(),
                                partitions,
                                Map.of("cleanup.policy", "delete", "retention.ms", kept)),
                        new KafkaSite.Added(
                                site.topics().fleetResults(),
                                1,
                                Map.of(
                                        "cleanup.policy",
                                        "compact,delete",
                                        "retention.ms",
                                        kept,
                                        "segment.bytes",
                                        Integer.toString(64 << 20)))));
    }
}

package trapline.dashboard.live;

import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import java.util.LinkedHashMap;
import java.util.Map;

/// One metric that counts: what has the same labels is one figure, whatever it was told apart by before.
final class Counters {

    private final String name;
    private final String help;
    private final Map<Labels, Long> counts = new LinkedHashMap<>();

    Counters(String name, String help) {
        this.name = name;
        this.help = help;
    }

    /// @param labels names, each followed by its text
    void add(long count, String... labels) {
        counts.merge(Labels.of(labels), count, Long::sum);
    }

    CounterSnapshot snapshot() {
        CounterSnapshot.Builder all = CounterSnapshot.builder().name(name).help(help);
        counts.forEach((labels, count) ->
                all.dataPoint(
                        CounterDataPointSnapshot.builder()
                                .labels(labels)
                                .value((double) count)
                                .build()));
        return all.build();
    }
}

package trapline.dashboard.live;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import trapline.engine.state.Vendor;
import trapline.schemas.ExitObserved;
import trapline.schemas.ExitObserved.Reason;

/// What the statistics become for who scrapes them.
class LiveMetricsTest {

    /// Two reasons of one name each fill places of their own, and are one figure.
    @Test
    void reasonsOfOneNameAreOneFigure() {
        assertEquals(
                Map.of(labels("0", "same"), 3.0, labels("0", "CPUID"), 1.0),
                exits(
                        List.of(
                                Exits.exit("s", 1, 0, reason(200, "same")),
                                Exits.exit("s", 2, 0, reason(201, "same")),
                                Exits.exit("s", 3, 0, reason(200, "same")),
                                Exits.exit("s", 4, 0))));
    }

    /// There is room for 1,024 vCPUs, but only for 1,000 pairs of vCPU and reason.
    @Test
    void pairsWithoutRoomAreOneFigure() {
        List<ExitObserved> exits = new ArrayList<>();
        for (int vcpu = 1; vcpu <= 1_030; vcpu++) {
            exits.add(Exits.exit("s", vcpu, vcpu, 0, Exits.CPUID));
        }
        Map<Labels, Double> figures = exits(exits);
        assertEquals(1_001, figures.size());
        assertEquals(30, figures.get(labels("other", "CPUID")));
        assertEquals(1, figures.get(labels("1000", "CPUID")));
    }

    /// A restarted server counts history again, which must not look like exits.
    @Test
    void partOfTheHistoryIsNotTold() {
        LiveStatistics statistics = new LiveStatistics(0);
        statistics.add(Exits.recent(List.of(Exits.exit("s", 1, 0))), 0);
        assertEquals(
                List.of(),
                LiveMetrics.of(statistics.figures(), false, 0).stream()
                        .filter(CounterSnapshot.class::isInstance)
                        .toList());
    }

    private static Reason reason(int number, String name) {
        return new Reason(Vendor.VMX, number, name, 0);
    }

    private static Labels labels(String vcpu, String reason) {
        return Labels.of("session", "s", "vcpu", vcpu, "reason", reason);
    }

    private static Map<Labels, Double> exits(List<ExitObserved> exits) {
        LiveStatistics statistics = new LiveStatistics(0);
        statistics.add(Exits.recent(exits), 0);
        Map<Labels, Double> figures = new HashMap<>();
        for (MetricSnapshot metric : LiveMetrics.of(statistics.figures(), true, 0)) {
            if (metric instanceof CounterSnapshot counter
                    && counter.getMetadata().getName().equals("trapline_exits")) {
                counter.getDataPoints()
                        .forEach(point -> figures.put(point.getLabels(), point.getValue()));
                figures.remove(Labels.of("session", "other", "vcpu", "other", "reason", "other"));
            }
        }
        return figures;
    }
}

package trapline.dashboard.live;

import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.Quantiles;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;
import io.prometheus.metrics.model.snapshots.SummarySnapshot.SummaryDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Unit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import trapline.dashboard.live.Figures.OfSession;
import trapline.dashboard.live.Figures.Sums;
import trapline.dashboard.live.Figures.Timed;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;

/// The statistics that viewers see, as metrics.
///
/// Labels are bounded: the newest hundred sessions, and of each a thousand pairs of vCPU and reason, 512 MSR
/// accesses, 64 rules; all others are labelled `other`.
final class LiveMetrics {

    private static final String SESSION = "session";
    private static final String ACCESS = "access";
    private static final double SECOND_NANOS = 1e9;

    private final List<MetricSnapshot> all = new ArrayList<>();

    /// @param caughtUp whether sessions' counters are whole: while history is counted again, they would seem to count
    static List<MetricSnapshot> of(Figures figures, boolean caughtUp, long now) {
        LiveMetrics metrics = new LiveMetrics();
        if (caughtUp) {
            metrics.exits(figures);
            metrics.msrs(figures.sessions());
            metrics.sums(figures.sessions());
            metrics.violations(figures);
            metrics.times(figures.sessions());
        }
        metrics.recorders(figures.sessions(), now);
        metrics.sessions(figures.catalogue());
        return metrics.all;
    }

    private void exits(Figures figures) {
        Counters exits =
                new Counters(
                        "trapline_exits",
                        "VM exits. The first thousand pairs of vCPU and reason of a session are told apart.");
        for (OfSession session : figures.sessions()) {
            session.forEachPair((vcpu, reason, count) ->
                    exits.add(count, SESSION, session.name(), "vcpu", vcpu, "reason", reason));
        }
        long rest = figures.leftOut().exits();
        exits.add(rest, SESSION, Subjects.OTHER, "vcpu", Subjects.OTHER, "reason", Subjects.OTHER);
        all.add(exits.snapshot());
    }

    private void msrs(List<OfSession> sessions) {
        Counters accesses =
                new Counters(
                        "trapline_msr_accesses",
                        "Accesses to MSRs that exited, the first 512 kinds of a session by name.");
        for (OfSession session : sessions) {
            Subjects subjects = session.subjects();
            long[] pairs = session.msrs();
            for (int i = 0; i < pairs.length; i += 2) {
                int number = (int) pairs[i];
                String msr = subjects.msrName(number);
                String access = subjects.access(number);
                accesses.add(pairs[i + 1], SESSION, session.name(), "msr", msr, ACCESS, access);
            }
        }
        all.add(accesses.snapshot());
    }

    private void sums(List<OfSession> sessions) {
        Counters mutations =
                new Counters(
                        "trapline_mutations",
                        "Fields of VMCSs or VMCBs and intercepts that changed between an exit and its entry.");
        Counters host =
                new Counters(
                        "trapline_host_msr_accesses",
                        "MSRs that the hypervisor itself read or wrote between an exit and its entry.");
        Counters reflected =
                new Counters(
                        "trapline_reflected_exits", "Exits that the guest's own hypervisor got.");
        Counters userspace =
                new Counters(
                        "trapline_userspace_exits",
                        "Exits for which the hypervisor returned to userspace.");
        for (OfSession session : sessions) {
            String name = session.name();
            Sums sums = session.sums();
            mutations.add(sums.mutations(), SESSION, name);
            host.add(sums.hostMsrReads(), SESSION, name, ACCESS, "read");
            host.add(sums.hostMsrWrites(), SESSION, name, ACCESS, "write");
            reflected.add(sums.reflected(), SESSION, name);
            userspace.add(sums.userspace(), SESSION, name);
        }
        all.add(mutations.snapshot());
        all.add(host.snapshot());
        all.add(reflected.snapshot());
        all.add(userspace.snapshot());
    }

    private void violations(Figures figures) {
        Counters violations =
                new Counters(
                        "trapline_violations",
                        "Safety rules that were broken, the first 64 of a session by name.");
        for (OfSession session : figures.sessions()) {
            session.violations()
                    .forEach((rule, count) ->
                            violations.add(count, SESSION, session.name(), "rule", rule));
        }
        long rest = figures.leftOut().violations();
        violations.add(rest, SESSION, Subjects.OTHER, "rule", Subjects.OTHER);
        all.add(violations.snapshot());
    }

    /// Cycles are no seconds: the frequency they pass at is not known.
    private void times(List<OfSession> sessions) {
        SummarySnapshot.Builder seconds =
                SummarySnapshot.builder()
                        .name("trapline_handled_seconds")
                        .help(
                                "From exit to entry, measured on a host: sessions imported from a trace.")
                        .unit(Unit.SECONDS);
        SummarySnapshot.Builder cycles =
                SummarySnapshot.builder()
                        .name("trapline_handled_cycles")
                        .help(
                                "From exit to entry, typical by the host's cost profile: a projection of the model.");
        for (OfSession session : sessions) {
            Timed timed = session.timed();
            if (timed.count() > 0) {
                double unit = timed.measured() ? SECOND_NANOS : 1;
                (timed.measured() ? seconds : cycles)
                        .dataPoint(summary(session.name(), timed, unit));
            }
        }
        all.add(seconds.build());
        all.add(cycles.build());
    }

    private static SummaryDataPointSnapshot summary(String session, Timed timed, double unit) {
        return SummaryDataPointSnapshot.builder()
                .labels(Labels.of(SESSION, session))
                .quantiles(
                        Quantiles.builder()
                                .quantile(0.5, timed.p50() / unit)
                                .quantile(0.9, timed.p90() / unit)
                                .quantile(0.99, timed.p99() / unit)
                                .build())
                .count(timed.count())
                .sum(timed.sum() / unit)
                .build();
    }

    private void recorders(List<OfSession> sessions, long now) {
        GaugeSnapshot.Builder age =
                GaugeSnapshot.builder()
                        .name("trapline_recorder_heartbeat_age_seconds")
                        .help("Since the recorder of an open session last said that it is there.")
                        .unit(Unit.SECONDS);
        GaugeSnapshot.Builder acknowledged =
                GaugeSnapshot.builder()
                        .name("trapline_recorder_acknowledged_events")
                        .help(
                                "Events that the recorder of an open session knew to be in the log then.");
        for (OfSession session : sessions) {
            About about = session.about();
            if (about.open()) {
                double seconds = Math.max(0, now - about.heartbeatMillis()) / 1e3;
                age.dataPoint(gauge(seconds, SESSION, session.name()));
                acknowledged.dataPoint(
                        gauge((double) about.acknowledged(), SESSION, session.name()));
            }
        }
        all.add(age.build());
        all.add(acknowledged.build());
    }

    private void sessions(Collection<CatalogueEntry> catalogue) {
        Map<Status, Long> counts = new TreeMap<>();
        for (Status status : Status.values()) {
            counts.put(status, 0L);
        }
        catalogue.forEach(entry -> counts.merge(entry.status(), 1L, Long::sum));
        GaugeSnapshot.Builder sessions =
                GaugeSnapshot.builder()
                        .name("trapline_sessions")
                        .help(
                                "Sessions of the log: being recorded, whole, or left by their recorder.");
        counts.forEach((status, count) ->
                sessions.dataPoint(
                        gauge((double) count, "status", status.name().toLowerCase(Locale.ROOT))));
        all.add(sessions.build());
    }

    static GaugeDataPointSnapshot gauge(double value, String... labels) {
        return GaugeDataPointSnapshot.builder().labels(Labels.of(labels)).value(value).build();
    }

    static MetricSnapshot counterOf(String name, String help, double value) {
        return CounterSnapshot.builder()
                .name(name)
                .help(help)
                .dataPoint(CounterDataPointSnapshot.builder().value(value).build())
                .build();
    }

    static MetricSnapshot gaugeOf(String name, String help, double value) {
        return GaugeSnapshot.builder().name(name).help(help).dataPoint(gauge(value)).build();
    }
}

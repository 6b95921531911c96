package trapline.dashboard.live;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import org.HdrHistogram.Histogram;
import trapline.replayer.JsonTree;
import trapline.schemas.ExitObserved;
import trapline.schemas.ExitObserved.Effort;
import trapline.schemas.InterceptionObserved;
import trapline.schemas.ViolationObserved;

/// All that is known of one session's exits: totals, and windows of time.
final class LiveSession {

    private static final int DIGITS = 3;

    /// Pairs of vCPU and reason that metrics tell apart.
    private static final int MOST_PAIRS = 1_000;

    private final String name;
    private final boolean complete;
    private final Windows windows;
    private final Subjects subjects = new Subjects();
    private final Keys pairKeys = new Keys(MOST_PAIRS);
    private final Counts pairs = new Counts();
    private final Counts unpaired = new Counts();
    private final Counts reasons = new Counts();
    private final Counts msrs = new Counts();
    private final Counts vcpus = new Counts();
    private final Histogram times = new Histogram(DIGITS);
    private final Violations violations = new Violations();
    private final Interceptions interceptions = new Interceptions();
    private About about;
    private String costs;
    private long version;
    private long begin = Long.MAX_VALUE;
    private long newest = Long.MIN_VALUE;
    private long exits;
    private long mutations;
    private long hostMsrReads;
    private long hostMsrWrites;
    private long reflected;
    private long userspace;
    private long timeSum;
    private boolean measured;
    private String text;
    private long textVersion = -1;

    /// @param complete whether its exits from the first one on will come
    LiveSession(String name, About about, boolean complete, Windows windows) {
        this.name = name;
        this.about = about;
        this.complete = complete;
        this.windows = windows;
    }

    void add(ExitObserved exit, long now) {
        version = now;
        exits++;
        Effort effort = exit.effort();
        mutations += effort.mutations();
        hostMsrReads += effort.hostMsrReads();
        hostMsrWrites += effort.hostMsrWrites();
        reflected += effort.reflected() ? 1 : 0;
        userspace += effort.userspace() ? 1 : 0;
        begin = Math.min(begin, exit.recordedMillis());
        newest = Math.max(newest, exit.recordedMillis());
        OpenWindow window = windows.at(exit.recordedMillis());
        window.count(exit.stamp().order(), now);
        int reason = subjects.reason(exit.reason());
        reasons.add(reason, 1);
        window.reasons.add(reason, 1);
        int vcpu = subjects.vcpu(exit.stamp().vcpu());
        vcpus.add(vcpu, 1);
        window.vcpus.add(vcpu, 1);
        pair(vcpu, reason);
        if (exit.subject().msr().isPresent()) {
            boolean write = exit.subject().write().orElse(false);
            int msr = subjects.msr(exit.subject().msr().get(), write);
            msrs.add(msr, 1);
            window.msrs.add(msr, 1);
        }
        time(exit, window);
    }

    private void pair(int vcpu, int reason) {
        int pair = pairKeys.number((long) vcpu << 32 | reason);
        if (pair == Keys.OTHER) {
            unpaired.add(reason, 1);
        } else {
            pairs.add(pair, 1);
        }
    }

    /// A session's times are all measured or all projected.
    private void time(ExitObserved exit, OpenWindow window) {
        ExitObserved.Took took = exit.took();
        boolean nanos = took.nanos().isPresent();
        if (nanos || took.cycles().isPresent()) {
            long time = nanos ? took.nanos().get() : took.cycles().get();
            measured = nanos;
            timeSum += time;
            Times.record(times, time);
            Times.record(window.times, time);
        }
    }

    void add(ViolationObserved violation, long now) {
        version = now;
        violations.add(violation);
    }

    void add(InterceptionObserved change, long now) {
        version = now;
        interceptions.add(change);
    }

    void about(About said, long now) {
        if (!said.looksLike(about)) {
            version = now;
            costs = null;
        }
        about = said;
    }

    String name() {
        return name;
    }

    About about() {
        return about;
    }

    long version() {
        return version;
    }

    Windows windows() {
        return windows;
    }

    Subjects subjects() {
        return subjects;
    }

    void touch(long now) {
        version = now;
    }

    Figures.OfSession figures() {
        return new Figures.OfSession(
                name,
                about,
                subjects,
                pairKeys.keys(),
                pairs.pairs(),
                unpaired.pairs(),
                msrs.pairs(),
                new Figures.Sums(mutations, hostMsrReads, hostMsrWrites, reflected, userspace),
                Map.copyOf(violations.byRule()),
                Figures.Timed.of(times, measured, timeSum));
    }

    String unit() {
        return measured ? "ns" : "cycles";
    }

    private String source() {
        if (measured) {
            return "measured";
        }
        if (costs == null) {
            costs = about.costs();
        }
        return costs.isEmpty()
                ? "projected by the host's cost profile, typical (assumed figures)"
                : "projected: cost profile %s, typical (assumed figures)".formatted(costs);
    }

    /// As viewers are told it, on one line.
    String text() {
        if (textVersion != version) {
            text = JsonTree.text(tree());
            textVersion = version;
        }
        return text;
    }

    private SequencedMap<String, Object> tree() {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("session", name);
        tree.put("guest", about.guest());
        tree.put("guestKind", about.guestKind());
        tree.put("platform", about.platform());
        tree.put("policy", about.policy());
        tree.put("status", about.status().name().toLowerCase(Locale.ROOT));
        tree.put("created", about.created());
        tree.put("vcpus", about.vcpus());
        tree.put("imported", about.imported());
        tree.put("begin", exits == 0 ? null : begin);
        tree.put("newest", exits == 0 ? null : newest);
        tree.put("complete", complete);
        tree.put("totals", totals());
        tree.put("time", time());
        tree.put("violations", violations.rows());
        tree.put("interceptions", interceptions.rows());
        tree.put("interceptionsLeftOut", interceptions.leftOut());
        return tree;
    }

    private Map<String, Object> totals() {
        Map<String, Object> totals = new LinkedHashMap<>();
        totals.put("exits", exits);
        totals.put("mutations", mutations);
        totals.put("hostMsrReads", hostMsrReads);
        totals.put("hostMsrWrites", hostMsrWrites);
        totals.put("reflected", reflected);
        totals.put("userspace", userspace);
        totals.put("violations", violations.count());
        totals.put("byReason", subjects.reasons(reasons.pairs()));
        totals.put("byMsr", subjects.msrs(msrs.pairs()));
        totals.put("byVcpu", subjects.vcpus(vcpus.pairs()));
        return totals;
    }

    /// What all its times have in common, before the figures.
    SequencedMap<String, Object> timeHead() {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("unit", unit());
        tree.put("source", source());
        return tree;
    }

    private Map<String, Object> time() {
        if (times.getTotalCount() == 0) {
            return null;
        }
        Map<String, Object> tree = timeHead();
        tree.put("count", times.getTotalCount());
        tree.put("p50", times.getValueAtPercentile(50));
        tree.put("p90", times.getValueAtPercentile(90));
        tree.put("p99", times.getValueAtPercentile(99));
        tree.put("max", times.getMaxValue());
        return tree;
    }
}

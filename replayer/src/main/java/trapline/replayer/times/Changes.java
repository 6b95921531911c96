package trapline.replayer.times;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongConsumer;
import trapline.engine.state.Vendor;
import trapline.replayer.Session;

/// What differs between two sessions: how often a second, and how long, by reason, MSR and port.
public final class Changes {

    /// What is compared.
    public static final Set<Dimension> DIMENSIONS =
            EnumSet.of(Dimension.REASON, Dimension.MSR, Dimension.PORT);

    /// How intervals come about, for those who read them.
    public static final List<String> METHOD =
            List.of(
                    "95 % intervals: each trace is cut into 32 windows of equal time, taken as independent of",
                    "one another. Events a second and mean times are ratio estimates over the windows; the",
                    "change is compared on a logarithmic scale, by Welch's t. Of rows without any change, one",
                    "in twenty will seem to have one. Below 10 events or 8 windows on a side: too few to tell.");

    /// One side.
    public static final class Side {
        private final Session session;
        private final ExitTimes times;
        private final Batches batches;

        private Side(Session session, LongConsumer progress) {
            this.session = session;
            Vendor vendor = session.imported() ? Vendor.VMX : session.vendor();
            batches = new Batches(DIMENSIONS);
            times = new ExitTimes(Look.at(DIMENSIONS), vendor, batches);
            Statistics.of(session, times, progress);
        }

        /// Without a session to read from.
        Side(ExitTimes times, Batches batches) {
            session = null;
            this.times = times;
            this.batches = batches;
        }

        public Session session() {
            return session;
        }

        public ExitTimes times() {
            return times;
        }

        /// What was counted in no row, since it came after the first thousand of its kind.
        public long leftOut() {
            return batches.leftOut();
        }

        /// Whether seconds are known.
        boolean inSeconds() {
            return times.timed() && times.unit().equals("ns");
        }
    }

    /// One thing on both sides.
    ///
    /// @param rate events a second, or counts where a side has no times
    /// @param mean nanoseconds each
    public record ChangeRow(
            Subject subject,
            long baseCount,
            long candidateCount,
            double baseShare,
            double candidateShare,
            Change rate,
            Change mean) {}

    private final Side base;
    private final Side candidate;
    private final Map<Dimension, List<ChangeRow>> rows = new EnumMap<>(Dimension.class);
    private final ChangeRow total;

    Changes(Side base, Side candidate) {
        this.base = base;
        this.candidate = candidate;
        for (Dimension dimension : DIMENSIONS) {
            rows.put(dimension, rows(dimension));
        }
        total =
                row(
                        new Subject(Dimension.VCPU, 0, true),
                        base.batches.total(),
                        candidate.batches.total(),
                        base.times.exits(),
                        candidate.times.exits());
    }

    /// Counts both, one after the other.
    public static Changes of(Session base, Session candidate, LongConsumer progress) {
        return new Changes(new Side(base, progress), new Side(candidate, progress));
    }

    private List<ChangeRow> rows(Dimension dimension) {
        Set<Long> codes = new TreeSet<>(base.batches.codes(dimension));
        codes.addAll(candidate.batches.codes(dimension));
        long baseTotal = count(base, dimension);
        long candidateTotal = count(candidate, dimension);
        List<ChangeRow> found = new ArrayList<>();
        for (long code : codes) {
            found.add(
                    row(
                            new Subject(dimension, code, false),
                            base.batches.of(dimension, code),
                            candidate.batches.of(dimension, code),
                            baseTotal,
                            candidateTotal));
        }
        found.sort(
                Comparator.comparingLong(
                                (ChangeRow row) -> -Math.max(row.baseCount(), row.candidateCount()))
                        .thenComparing(row -> row.subject().text()));
        return List.copyOf(found);
    }

    private static long count(Side side, Dimension dimension) {
        return side.batches.codes(dimension).stream()
                .mapToLong(code -> side.batches.of(dimension, code).count())
                .sum();
    }

    private ChangeRow row(
            Subject subject, Sample before, Sample after, long baseTotal, long candidateTotal) {
        return new ChangeRow(
                subject,
                before.count(),
                after.count(),
                share(before.count(), baseTotal),
                share(after.count(), candidateTotal),
                rate(before, after),
                mean(before, after));
    }

    private Change rate(Sample before, Sample after) {
        if (exact()) {
            return Change.exact(before.count(), after.count());
        }
        return comparable()
                ? Change.of(before.rate(), before.count(), after.rate(), after.count())
                : Change.untimed(before.count(), after.count());
    }

    private Change mean(Sample before, Sample after) {
        return comparable()
                ? Change.of(before.mean(), before.timedCount(), after.mean(), after.timedCount())
                        .inTime()
                : Change.untimed(0, 0);
    }

    private static double share(long part, long whole) {
        return whole == 0 ? 0 : Math.round(1_000_000.0 * part / whole) / 1_000_000.0;
    }

    public Side base() {
        return base;
    }

    public Side candidate() {
        return candidate;
    }

    /// Whether the model made both, so that counts are what they are.
    public boolean exact() {
        return !base.times.timed() && !candidate.times.timed();
    }

    /// Whether both have times in seconds.
    public boolean comparable() {
        return base.inSeconds() && candidate.inSeconds();
    }

    /// All exits.
    public ChangeRow total() {
        return total;
    }

    /// The most frequent first.
    public List<ChangeRow> of(Dimension dimension) {
        return rows.get(dimension);
    }
}

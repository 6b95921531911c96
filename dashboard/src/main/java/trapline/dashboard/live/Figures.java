package trapline.dashboard.live;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;
import trapline.schemas.CatalogueEntry;

/// What metrics are made of, copied, so that counting goes on while they are.
record Figures(List<OfSession> sessions, LeftOut leftOut, Collection<CatalogueEntry> catalogue) {

    /// Of a log that tells of no exits.
    static Figures of(List<CatalogueEntry> catalogue) {
        return new Figures(List.of(), new LeftOut(0, 0, 0), catalogue);
    }

    /// What came of sessions that are not shown.
    record LeftOut(long sessions, long exits, long violations) {}

    /// @param pairs pairs of [Counts]; likewise `unpaired` and `msrs`
    record OfSession(
            String name,
            About about,
            Subjects subjects,
            long[] pairKeys,
            long[] pairs,
            long[] unpaired,
            long[] msrs,
            Sums sums,
            Map<String, Long> violations,
            Timed timed) {

        /// Told a vCPU, a reason and how often.
        interface Pairs {
            void pair(String vcpu, String reason, long count);
        }

        /// Exits by vCPU and reason, as far as there is room for.
        void forEachPair(Pairs told) {
            for (int i = 0; i < pairs.length; i += 2) {
                long key = pairKeys[(int) pairs[i]];
                String vcpu = subjects.vcpuName((int) (key >>> 32));
                told.pair(vcpu, subjects.reasonName((int) key), pairs[i + 1]);
            }
            for (int i = 0; i < unpaired.length; i += 2) {
                String reason = subjects.reasonName((int) unpaired[i]);
                told.pair(Subjects.OTHER, reason, unpaired[i + 1]);
            }
        }
    }

    record Sums(
            long mutations,
            long hostMsrReads,
            long hostMsrWrites,
            long reflected,
            long userspace) {}

    record Timed(boolean measured, long count, long sum, long p50, long p90, long p99) {

        static Timed of(Histogram times, boolean measured, long sum) {
            return new Timed(
                    measured,
                    times.getTotalCount(),
                    sum,
                    times.getValueAtPercentile(50),
                    times.getValueAtPercentile(90),
                    times.getValueAtPercentile(99));
        }
    }
}

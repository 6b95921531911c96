package trapline.fleet.statistics;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import trapline.schemas.ExitGlance;
import trapline.schemas.ExitStatistics.ReasonCount;
import trapline.schemas.ExitWindow;
import trapline.schemas.ExitWindow.MsrCount;

/// Counts exits of one vCPU, and adds what others have counted.
final class ExitTally {

    /// A guest may access any of 4 billion.
    static final int MOST_MSRS = 1024;

    /// No vendor has so many, but a damaged host may say anything.
    static final int MOST_REASONS = 1024;

    /// The longest of a real vendor has half as many.
    static final int LONGEST_NAME = 64;

    /// What the reasons beyond these are counted as.
    private static final long OTHER = Long.MAX_VALUE;

    private final LongCounts reasons = new LongCounts();
    private final LongCounts msrs = new LongCounts();
    private final Map<Long, String> names = new HashMap<>();
    private long exits;
    private long reflected;
    private long mutations;
    private long hostMsrReads;
    private long hostMsrWrites;
    private long otherMsrs;

    long exits() {
        return exits;
    }

    void count(ExitGlance exit) {
        exits++;
        reflected += exit.reflected() ? 1 : 0;
        mutations += exit.mutations();
        hostMsrReads += exit.hostMsrReads();
        hostMsrWrites += exit.hostMsrWrites();
        reason(exit.reason(), exit.reasonName(), 1);
        if (exit.msr() >= 0) {
            msr(exit.msr() << 1 | (exit.write() ? 1 : 0), 1);
        }
    }

    void add(ExitWindow window) {
        exits += window.exits();
        reflected += window.reflected();
        mutations += window.mutations();
        hostMsrReads += window.hostMsrReads();
        hostMsrWrites += window.hostMsrWrites();
        otherMsrs += window.otherMsrs();
        window.byReason().forEach(row -> reason(row.reason(), row.reasonName(), row.count()));
        window.byMsr()
                .forEach(row ->
                        msr(
                                Integer.toUnsignedLong(row.msr()) << 1 | (row.write() ? 1 : 0),
                                row.count()));
    }

    void add(ExitTally other) {
        exits += other.exits;
        reflected += other.reflected;
        mutations += other.mutations;
        hostMsrReads += other.hostMsrReads;
        hostMsrWrites += other.hostMsrWrites;
        otherMsrs += other.otherMsrs;
        other.reasons.each(
                (number, count) -> reason(number, other.names.getOrDefault(number, ""), count));
        other.msrs.each(this::msr);
    }

    private void reason(long number, String name, long count) {
        if (reasons.has(number)) {
            reasons.add(number, count);
        } else if (number == OTHER || (reasons.size() < MOST_REASONS && number != Long.MIN_VALUE)) {
            names.put(number, cut(name));
            reasons.add(number, count);
        } else {
            reason(OTHER, "other", count);
        }
    }

    private static String cut(String name) {
        if (name.length() <= LONGEST_NAME) {
            return name;
        }
        boolean pair = Character.isHighSurrogate(name.charAt(LONGEST_NAME - 1));
        return name.substring(0, pair ? LONGEST_NAME - 1 : LONGEST_NAME);
    }

    /// @param key the MSR and, in the lowest bit, whether it was written
    private void msr(long key, long count) {
        if (msrs.size() >= MOST_MSRS && !msrs.has(key)) {
            otherMsrs += count;
        } else {
            msrs.add(key, count);
        }
    }

    ExitWindow window(WindowKey key) {
        List<ReasonCount> byReason = new ArrayList<>(reasons.size());
        reasons.each((number, count) ->
                byReason.add(new ReasonCount(number, names.getOrDefault(number, ""), count)));
        List<MsrCount> byMsr = new ArrayList<>(msrs.size());
        msrs.each(
                (msr, count) -> byMsr.add(new MsrCount((int) (msr >>> 1), (msr & 1) != 0, count)));
        return new ExitWindow(
                key.session(),
                key.vcpu(),
                key.begin(),
                key.size(),
                exits,
                reflected,
                mutations,
                hostMsrReads,
                hostMsrWrites,
                byReason,
                byMsr,
                otherMsrs);
    }
}

package trapline.fleet.statistics;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import trapline.schemas.ExitObserved;
import trapline.schemas.ExitStatistics.ReasonCount;
import trapline.schemas.ExitWindow;
import trapline.schemas.ExitWindow.MsrCount;

/// Counts exits of one vCPU, and adds what others have counted.
final class ExitTally {

    /// A guest may access any of 4 billion.
    static final int MOST_MSRS = 1024;

    private final Map<Long, Reason> reasons = new TreeMap<>();
    private final Map<Long, Count> msrs = new TreeMap<>();
    private long exits;
    private long reflected;
    private long mutations;
    private long hostMsrReads;
    private long hostMsrWrites;
    private long otherMsrs;

    private static final class Count {
        private long count;
    }

    private static final class Reason {
        private final String name;
        private long count;

        Reason(String name) {
            this.name = name;
        }
    }

    long exits() {
        return exits;
    }

    void count(ExitObserved exit) {
        exits++;
        reflected += exit.effort().reflected() ? 1 : 0;
        mutations += exit.effort().mutations();
        hostMsrReads += exit.effort().hostMsrReads();
        hostMsrWrites += exit.effort().hostMsrWrites();
        reason(exit.reason().number(), exit.reason().name(), 1);
        exit.subject().msr().ifPresent(msr -> msr(msr, exit.subject().write().orElse(false), 1));
    }

    void add(ExitWindow window) {
        exits += window.exits();
        reflected += window.reflected();
        mutations += window.mutations();
        hostMsrReads += window.hostMsrReads();
        hostMsrWrites += window.hostMsrWrites();
        otherMsrs += window.otherMsrs();
        window.byReason().forEach(row -> reason(row.reason(), row.reasonName(), row.count()));
        window.byMsr().forEach(row -> msr(row.msr(), row.write(), row.count()));
    }

    void add(ExitTally other) {
        exits += other.exits;
        reflected += other.reflected;
        mutations += other.mutations;
        hostMsrReads += other.hostMsrReads;
        hostMsrWrites += other.hostMsrWrites;
        otherMsrs += other.otherMsrs;
        other.reasons.forEach((number, reason) -> reason(number, reason.name, reason.count));
        other.msrs.forEach((key, row) -> msr((int) (key >>> 1), (key & 1) != 0, row.count));
    }

    private void reason(long number, String name, long count) {
        reasons.computeIfAbsent(number, _ -> new Reason(name)).count += count;
    }

    private void msr(int msr, boolean write, long count) {
        long key = Integer.toUnsignedLong(msr) << 1 | (write ? 1 : 0);
        Count row = msrs.get(key);
        if (row == null && msrs.size() >= MOST_MSRS) {
            otherMsrs += count;
        } else {
            msrs.computeIfAbsent(key, _ -> new Count()).count += count;
        }
    }

    ExitWindow window(WindowKey key) {
        List<ReasonCount> byReason = new ArrayList<>(reasons.size());
        reasons.forEach(
                (number, row) -> byReason.add(new ReasonCount(number, row.name, row.count)));
        List<MsrCount> byMsr = new ArrayList<>(msrs.size());
        msrs.forEach((msr, row) ->
                byMsr.add(new MsrCount((int) (msr >>> 1), (msr & 1) != 0, row.count)));
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

package trapline.recorder;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import trapline.engine.state.Vendor;
import trapline.engine.table.ExitReasons;
import trapline.journal.SessionWriter;
import trapline.schemas.ExitStatistics;
import trapline.schemas.ExitStatistics.ReasonCount;

/// Counts a session's exits by vCPU and reason, and writes what each second of recording had.
public final class ExitSeconds {

    private final String session;
    private final SessionWriter writer;
    private final List<Map<Long, Long>> counts = new ArrayList<>();
    private Vendor vendor = Vendor.VMX;
    private long second;

    public ExitSeconds(String session, SessionWriter writer) {
        this.session = session;
        this.writer = writer;
    }

    /// An exit that was handled now.
    public void count(int vcpu, Vendor vendor, long reason, long nowMillis) {
        if (nowMillis / 1000 != second) {
            flush();
            second = nowMillis / 1000;
        }
        this.vendor = vendor;
        while (counts.size() <= vcpu) {
            counts.add(new TreeMap<>());
        }
        counts.get(vcpu).merge(reason, 1L, Long::sum);
    }

    /// Writes the second that has passed.
    public void flush() {
        for (int vcpu = 0; vcpu < counts.size(); vcpu++) {
            Map<Long, Long> byReason = counts.get(vcpu);
            if (!byReason.isEmpty()) {
                writer.statistics(statistics(vcpu, byReason));
                byReason.clear();
            }
        }
    }

    private ExitStatistics statistics(int vcpu, Map<Long, Long> byReason) {
        List<ReasonCount> rows = new ArrayList<>();
        byReason.forEach(
                (reason, count) -> rows.add(new ReasonCount(reason, name(vendor, reason), count)));
        long exits = rows.stream().mapToLong(ReasonCount::count).sum();
        return new ExitStatistics(session, vcpu, second * 1000, exits, rows);
    }

    /// As kvm_exit prints it.
    public static String name(Vendor vendor, long reason) {
        return vendor == Vendor.VMX ? ExitReasons.vmx(reason) : ExitReasons.svm(reason);
    }
}

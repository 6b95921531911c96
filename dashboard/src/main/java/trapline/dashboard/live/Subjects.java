package trapline.dashboard.live;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import trapline.engine.state.Vendor;
import trapline.engine.table.Msrs;
import trapline.replayer.Names;
import trapline.schemas.ExitObserved.Reason;

/// What one session's exits are counted by: reasons, accesses to MSRs, vCPUs. Each has a number, which keeps its
/// meaning, so that others may read what was counted while more is.
///
/// There is room for so many of each; what comes later is counted as `other`.
final class Subjects {

    static final String OTHER = "other";

    private static final int MOST_REASONS = 256;
    private static final int MOST_MSRS = 512;
    private static final int MOST_VCPUS = 1024;

    private final Keys reasons = new Keys(MOST_REASONS);
    private final Keys msrs = new Keys(MOST_MSRS);
    private final Keys vcpus = new Keys(MOST_VCPUS);
    private volatile String[] names = {OTHER};

    int reason(Reason reason) {
        int svm = reason.vendor() == Vendor.SVM ? 1 : 0;
        int number = reasons.number(reason.number() << 1 | svm);
        if (number == names.length) {
            String[] more = Arrays.copyOf(names, number + 1);
            more[number] = reason.name();
            names = more;
        }
        return number;
    }

    int msr(int index, boolean write) {
        return msrs.number(Integer.toUnsignedLong(index) << 1 | (write ? 1 : 0));
    }

    int vcpu(int vcpu) {
        return vcpus.number(vcpu);
    }

    String reasonName(int number) {
        return names[number];
    }

    /// As labels want it.
    String vcpuName(int number) {
        return number == Keys.OTHER ? OTHER : Long.toString(vcpus.keys()[number]);
    }

    String msrName(int number) {
        return number == Keys.OTHER ? OTHER : Msrs.name((int) (msrs.keys()[number] >>> 1));
    }

    String access(int number) {
        return number == Keys.OTHER ? OTHER : isWrite(number) ? "write" : "read";
    }

    private boolean isWrite(int number) {
        return (msrs.keys()[number] & 1) != 0;
    }

    /// The most frequent first.
    List<Object> reasons(long[] pairs) {
        return rows(pairs, (number, row) -> row.put("name", reasonName(number)));
    }

    /// Likewise.
    List<Object> msrs(long[] pairs) {
        return rows(
                pairs,
                (number, row) -> {
                    row.put("msr", number == Keys.OTHER ? OTHER : hex(number));
                    row.put("name", msrName(number));
                    row.put("access", access(number));
                });
    }

    private String hex(int number) {
        return Names.hex(msrs.keys()[number] >>> 1);
    }

    /// By number; what has none is vCPU -1.
    List<Object> vcpus(long[] pairs) {
        List<Object> rows =
                rows(
                        pairs,
                        (number, row) ->
                                row.put("vcpu", number == Keys.OTHER ? -1L : vcpus.keys()[number]));
        rows.sort(Comparator.comparingLong(row -> (Long) ((Map<?, ?>) row).get("vcpu")));
        return rows;
    }

    private interface Naming {
        void name(int number, Map<String, Object> row);
    }

    private static List<Object> rows(long[] pairs, Naming naming) {
        List<Map<String, Object>> rows = new ArrayList<>(pairs.length / 2);
        for (int i = 0; i < pairs.length; i += 2) {
            Map<String, Object> row = new LinkedHashMap<>();
            naming.name((int) pairs[i], row);
            row.put("count", pairs[i + 1]);
            rows.add(row);
        }
        rows.sort(Comparator.comparingLong(row -> -(Long) row.get("count")));
        return new ArrayList<>(rows);
    }
}

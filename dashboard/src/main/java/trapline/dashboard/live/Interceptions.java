package trapline.dashboard.live;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import trapline.engine.table.Msrs;
import trapline.replayer.Names;
import trapline.schemas.InterceptionObserved;

/// What is intercepted right now, as far as it ever changed in one session.
final class Interceptions {

    /// Of how many MSRs of all vCPUs.
    private static final int MOST = 512;

    private final Map<Long, Now> rows = new TreeMap<>();
    private long leftOut;

    private record Now(InterceptionObserved last, long changes) {}

    void add(InterceptionObserved change) {
        long key =
                (long) change.stamp().vcpu() << 40
                        | (long) change.bitmap() << 32
                        | Integer.toUnsignedLong(change.msr());
        Now before = rows.get(key);
        if (before == null && rows.size() == MOST) {
            leftOut++;
            return;
        }
        rows.put(key, new Now(change, before == null ? 1 : before.changes() + 1));
    }

    /// Changes of MSRs there is no room for.
    long leftOut() {
        return leftOut;
    }

    /// By vCPU, bitmap and MSR.
    List<Object> rows() {
        List<Object> all = new ArrayList<>();
        for (Now now : rows.values()) {
            InterceptionObserved last = now.last();
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("vcpu", last.stamp().vcpu());
            row.put("bitmap", last.bitmap());
            row.put("msr", Names.hex(Integer.toUnsignedLong(last.msr())));
            row.put("name", Msrs.name(last.msr()));
            row.put("read", last.read());
            row.put("write", last.write());
            row.put("order", last.stamp().order());
            row.put("seq", last.stamp().seq());
            row.put("millis", last.recordedMillis());
            row.put("changes", now.changes());
            all.add(row);
        }
        return all;
    }
}

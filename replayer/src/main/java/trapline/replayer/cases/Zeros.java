package trapline.replayer.cases;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.state.Vendor;
import trapline.engine.table.Field;
import trapline.engine.table.Msrs;
import trapline.replayer.Names;

/// Fills in what was never counted: results leave a name out whose count is 0, expressions must not fail for it.
final class Zeros {

    private static final int MOST_REASONS = 0x500;

    private final Vendor vendor;

    Zeros(Vendor vendor) {
        this.vendor = vendor;
    }

    /// Of a diff's tree.
    void fillDiff(Map<Object, Object> diff) {
        fillSide(map(diff.get("base")));
        fillSide(map(diff.get("candidate")));
    }

    private void fillSide(Map<Object, Object> side) {
        Map<Object, Object> exits = map(side.get("exits"));
        Map<Object, Object> byReason = map(exits.get("byReason"));
        Map<Object, Object> cycles = map(map(side.get("cycles")).get("byCause"));
        reasons(reason -> {
            byReason.putIfAbsent(reason, 0L);
            cycles.putIfAbsent("handler." + reason, range());
        });
        fillHost(map(side.get("hostMsr")), cycles);
        Map<Object, Object> byMsr = map(exits.get("byMsr"));
        Msrs.names().forEach(msr -> byMsr.putIfAbsent(msr, accesses()));
        fillMutations(side);
        map(side.get("actions")).keySet().forEach(action -> cycles.putIfAbsent(action, range()));
        cycles.putIfAbsent("exit", range());
    }

    /// Of what `stat` says.
    void fillStatistics(Map<Object, Object> statistics) {
        fillHost(map(statistics.get("hostMsr")), new HashMap<>());
        fillMutations(statistics);
    }

    private static void fillHost(Map<Object, Object> hostMsr, Map<Object, Object> cycles) {
        Map<Object, Object> byCause = map(hostMsr.get("byCause"));
        for (HostCause cause : HostCause.values()) {
            byCause.putIfAbsent(Names.camel(cause.name()), accesses());
            cycles.putIfAbsent("hostMsr." + Names.camel(cause.name()), range());
        }
        Map<Object, Object> byMsr = map(hostMsr.get("byMsr"));
        Msrs.names().forEach(msr -> byMsr.putIfAbsent(msr, accesses()));
    }

    private void fillMutations(Map<Object, Object> tree) {
        Map<Object, Object> mutations = map(tree.get("mutations"));
        for (Field field : vendor.layout().fields()) {
            mutations.putIfAbsent(field.name(), 0L);
        }
        mutations.putIfAbsent("MSR_BITMAP_BITS", 0L);
    }

    private void reasons(Consumer<String> consumer) {
        for (long reason = 0; reason < MOST_REASONS; reason++) {
            String name = Names.exit(vendor, reason);
            if (!name.startsWith("0x")) {
                consumer.accept(name);
            }
        }
    }

    private static Map<String, Object> accesses() {
        return Map.of("reads", 0L, "writes", 0L);
    }

    private static Map<String, Object> range() {
        return Map.of("low", 0L, "typical", 0L, "high", 0L);
    }

    @SuppressWarnings("unchecked")
    private static Map<Object, Object> map(Object tree) {
        return (Map<Object, Object>) tree;
    }
}

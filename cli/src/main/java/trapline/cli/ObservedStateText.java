package trapline.cli;

import java.util.Map;

/// What a trace showed of a vCPU, each value with the event that showed it.
final class ObservedStateText {

    private ObservedStateText() {}

    /// @param seenAt when, by the names of registers and MSRs
    static String of(Map<String, Object> state, Map<?, ?> seenAt) {
        StringBuilder text = new StringBuilder();
        for (String name : new String[] {"session", "vcpu", "seq", "order", "mode", "pcpu"}) {
            Object value = state.get(name);
            text.append("%-10s %s\n".formatted(name, value == null ? "unknown" : value));
        }
        if (state.get("lastExit") instanceof Map<?, ?> exit) {
            text.append(
                    "%-10s %s at event %s\n"
                            .formatted("last exit", exit.get("reason"), exit.get("order")));
        }
        Table table = new Table("lll");
        values(table, state.get("registers"), seenAt);
        values(table, ((Map<?, ?>) state.get("msrs")).get("guest"), seenAt);
        return text.append(table)
                .append("All else is unknown: the trace does not show it.\n")
                .toString();
    }

    private static void values(Table table, Object values, Map<?, ?> seenAt) {
        ((Map<?, ?>) values)
                .forEach((name, value) -> {
                    if (value != null) {
                        Map<?, ?> at = (Map<?, ?>) seenAt.get(name);
                        table.row(
                                name,
                                value,
                                "event %s, %s".formatted(at.get("order"), at.get("by")));
                    }
                });
    }
}

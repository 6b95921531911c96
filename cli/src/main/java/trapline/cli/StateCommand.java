package trapline.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import trapline.engine.state.MachineState;
import trapline.journal.Journal;
import trapline.replayer.EventFields.Hex;
import trapline.replayer.ObservedState;
import trapline.replayer.Rebuild;
import trapline.replayer.Session;
import trapline.replayer.StateView;

/// `state`: the exact state of a vCPU at an event.
@Command(
        name = "state",
        description = "Prints the exact state of a vCPU after one of its events.",
        footer = {
            "",
            "Sequence numbers count the events of one vCPU ('events' prints them as vcpuN#SEQ). Text",
            "leaves out registers and fields that are zero; JSON has them all.",
            "",
            "Of an imported trace it is what the trace showed up to there, and when. Everything else is",
            "unknown, which is not zero: in JSON a register is null, and an MSR is not there.",
            "",
            "Examples:",
            "  trapline state last --vcpu 1 --at 1200",
            "  trapline state last --at 1200 --diff 1300"
        })
final class StateCommand extends LogCommand implements Callable<Integer> {

    private static final long END = -1;

    @Parameters(paramLabel = "SESSION", description = SESSION)
    String session;

    @Option(
            names = "--vcpu",
            paramLabel = "N",
            defaultValue = "0",
            description = "Which vCPU, from 0. Default: ${DEFAULT-VALUE}")
    int vcpu;

    @Option(
            names = "--at",
            paramLabel = "SEQ|end",
            defaultValue = "end",
            description = "After this event of the vCPU; 0 is before its first. Default: the end")
    String at;

    @Option(
            names = "--diff",
            paramLabel = "SEQ2|end",
            description = "Print only what changes between --at and this event.")
    String diff;

    @Override
    public Integer call() {
        Console console = console();
        long first = seq(at, "--at");
        long second = diff == null ? END : seq(diff, "--diff");
        try (Journal journal = openLogToRead();
                Session opened = Session.open(journal, session)) {
            Map<String, Object> state = view(opened, first);
            if (diff == null) {
                print(state, console);
            } else {
                changes(opened, state, view(opened, second), console);
            }
        }
        return ExitCode.DONE.number();
    }

    private Map<String, Object> view(Session opened, long seq) {
        if (opened.imported()) {
            return ObservedState.at(opened, vcpu, seq == END ? Long.MAX_VALUE : seq);
        }
        Rebuild rebuild = new Rebuild(opened);
        MachineState machine = rebuild.at(vcpu, Math.max(0, seq));
        if (seq == END) {
            machine = rebuild.atEnd();
        }
        return StateView.of(opened.name(), machine, vcpu, rebuild.failedEntry(machine, vcpu));
    }

    private long seq(String place, String option) {
        if (place.equals("end")) {
            return END;
        }
        try {
            long seq = Long.parseLong(place);
            if (seq >= 0) {
                return seq;
            }
        } catch (NumberFormatException e) {
            // reported below
        }
        throw usage("%s: expected a sequence number or 'end', found '%s'", option, place);
    }

    private static void print(Map<String, Object> state, Console console) {
        if (console.json()) {
            console.document(state);
            return;
        }
        if (state.get("seenAt") instanceof Map<?, ?> seenAt) {
            console.out().print(ObservedStateText.of(state, seenAt));
            return;
        }
        for (Map.Entry<String, Object> entry : state.entrySet()) {
            if (entry.getValue() instanceof Map<?, ?> section) {
                console.line("%s", entry.getKey());
                section(section, "  ", console);
            } else {
                console.line("%-10s %s", entry.getKey(), entry.getValue());
            }
        }
    }

    /// Zeros are left out: there are hundreds of fields.
    private static void section(Map<?, ?> section, String indent, Console console) {
        for (Map.Entry<?, ?> entry : section.entrySet()) {
            switch (entry.getValue()) {
                case Map<?, ?> inner -> {
                    console.line("%s%s", indent, entry.getKey());
                    section(inner, indent + "  ", console);
                }
                case List<?> rows -> rows.forEach(row -> console.line("%s%s", indent, passed(row)));
                case Hex hex when hex.value() == 0 -> {}
                default -> console.line("%s%-32s %s", indent, entry.getKey(), entry.getValue());
            }
        }
    }

    private static String passed(Object row) {
        Map<?, ?> access = (Map<?, ?>) row;
        boolean read = Boolean.TRUE.equals(access.get("read"));
        boolean write = Boolean.TRUE.equals(access.get("write"));
        return "%-32s passed through: %s"
                .formatted(
                        access.get("msr"), read && write ? "read, write" : read ? "read" : "write");
    }

    private static Object known(Object value) {
        return value == null ? "unknown" : value;
    }

    private static void changes(
            Session opened,
            Map<String, Object> before,
            Map<String, Object> after,
            Console console) {
        Map<String, List<Object>> changes = StateView.difference(before, after);
        if (!console.json()) {
            changes.forEach((path, values) ->
                    console.line(
                            "%-44s %s -> %s",
                            path, known(values.getFirst()), known(values.getLast())));
            return;
        }
        List<Object> rows = new ArrayList<>();
        changes.forEach((path, values) -> {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("path", path);
            row.put("from", values.getFirst());
            row.put("to", values.getLast());
            rows.add(row);
        });
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("session", opened.name());
        tree.put("vcpu", before.get("vcpu"));
        tree.put("from", before.get("seq"));
        tree.put("to", after.get("seq"));
        tree.put("changes", rows);
        console.document(tree);
    }
}

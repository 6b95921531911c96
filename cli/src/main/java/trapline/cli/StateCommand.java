package trapline.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import trapline.engine.state.MachineState;
import trapline.journal.Journal;
import trapline.replayer.EventFields.Hex;
import trapline.replayer.Rebuild;
import trapline.replayer.Session;
import trapline.replayer.StateView;

/// `state`: the exact state of a vCPU at an event.
@Command(name = "state", description = "Prints the exact state of a vCPU after one of its events.")
final class StateCommand extends LogCommand implements Callable<Integer> {

    @Parameters(paramLabel = "SESSION", description = "Its id or how that begins; or 'last'.")
    String session;

    @Option(names = "--vcpu", paramLabel = "N", defaultValue = "0")
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
        try (Journal journal = openLogToRead();
                Session opened = Session.open(journal, session)) {
            Map<String, Object> state = view(opened, at, "--at");
            if (diff == null) {
                print(state, console);
            } else {
                changes(opened, state, view(opened, diff, "--diff"), console);
            }
        }
        return ExitCode.DONE.number();
    }

    private Map<String, Object> view(Session opened, String place, String option) {
        Rebuild rebuild = new Rebuild(opened);
        MachineState machine;
        if (place.equals("end")) {
            machine = rebuild.atEnd();
            if (vcpu < 0 || vcpu >= opened.vcpus()) {
                rebuild.at(vcpu, 0);
            }
        } else {
            machine = rebuild.at(vcpu, seq(place, option));
        }
        return StateView.of(opened.name(), machine, vcpu);
    }

    private long seq(String place, String option) {
        try {
            long seq = Long.parseLong(place);
            if (seq >= 0) {
                return seq;
            }
        } catch (NumberFormatException e) {
            // reported below
        }
        throw new ParameterException(
                spec.commandLine(),
                "%s: expected a sequence number or 'end', found '%s'".formatted(option, place));
    }

    private static void print(Map<String, Object> state, Console console) {
        if (console.json()) {
            console.document(state);
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

    private static void changes(
            Session opened,
            Map<String, Object> before,
            Map<String, Object> after,
            Console console) {
        Map<String, List<Object>> changes = StateView.difference(before, after);
        if (!console.json()) {
            changes.forEach((path, values) ->
                    console.line("%-44s %s -> %s", path, values.getFirst(), values.getLast()));
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

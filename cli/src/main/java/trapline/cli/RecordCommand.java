package trapline.cli;

import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import trapline.journal.Journal;
import trapline.recorder.Driver;
import trapline.recorder.Plan;
import trapline.recorder.Recorded;
import trapline.recorder.Recorder;

/// `record`: runs a guest and records its session.
@Command(name = "record", description = "Runs a guest under a policy, records it, prints the id.")
final class RecordCommand extends LogCommand implements Callable<Integer> {

    @Mixin MachineOptions machine;

    @Override
    public Integer call() {
        Plan plan = machine.plan();
        Console console = console();
        Recorded recorded;
        try (Journal journal = openLog()) {
            recorded = record(journal, plan, Driver.guest(plan.ingredients()), console);
        }
        print(recorded, console);
        return (recorded.closed() ? ExitCode.DONE : ExitCode.NO).number();
    }

    static Recorded record(Journal journal, Plan plan, Driver driver, Console console) {
        try (Interrupt interrupt = new Interrupt();
                Console.Progress progress = console.progress("recording", -1)) {
            return new Recorder(journal, Version.program(), InstantSource.system())
                    .record(plan, driver, interrupt, progress);
        }
    }

    static void print(Recorded recorded, Console console) {
        if (console.json()) {
            console.document(tree(recorded));
            return;
        }
        console.line(recorded.session());
        console.note(
                "%s: %s events, %s guest ops on %d vCPU%s",
                recorded.closed() ? "recorded" : "interrupted, the session is torn",
                Table.number(recorded.events()),
                Table.number(recorded.guestOps()),
                recorded.vcpus(),
                recorded.vcpus() == 1 ? "" : "s");
    }

    static Map<String, Object> tree(Recorded recorded) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("session", recorded.session());
        row.put("events", recorded.events());
        row.put("guestOps", recorded.guestOps());
        row.put("vcpus", recorded.vcpus());
        row.put("status", recorded.closed() ? "closed" : "torn");
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("session", recorded.session());
        tree.put("sessions", List.of(row));
        return tree;
    }
}

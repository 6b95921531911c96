package trapline.cli;

import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import trapline.engine.guest.MsrLog.Malformed;
import trapline.engine.sim.EntryFailures.Failure;
import trapline.journal.Journal;
import trapline.journal.JournalException;
import trapline.recorder.Driver;
import trapline.recorder.Plan;
import trapline.recorder.Recorded;
import trapline.recorder.Recorder;
import trapline.replayer.ResultTree;
import trapline.replayer.Session;

/// `record`: runs a guest and records its session.
@Command(
        name = "record",
        description = "Runs a guest under a policy, records it, prints the session's id.",
        footer = {
            "",
            "It ends with the guest's program; Ctrl-C before that leaves a session that is torn: it can",
            "be read and replayed as far as it goes.",
            "",
            "Examples:",
            "  trapline record --guest ssbd-per-task",
            "  trapline record --guest my.yaml --cpu EPYC-Milan --policy kvm-6.6 --vcpus 4",
            "  trapline record --guest - --policy kvm-6.1,spec-ctrl=v4 <my.yaml",
            "  trapline record --guest TRACE --policy kvm-6.1       # an imported session, executed"
        })
final class RecordCommand extends LogCommand implements Callable<Integer> {

    @Mixin MachineOptions machine;

    @Override
    public Integer call() {
        Console console = console();
        if (machine.mayBeSession()) {
            return ofTrace(console);
        }
        Plan plan = machine.plan();
        Recorded recorded;
        try (Journal journal = openLog()) {
            recorded = record(journal, plan, Driver.guest(plan.ingredients()), this);
        }
        Map<String, Object> tree = tree(recorded);
        machine.malformed()
                .ifPresent(malformed -> {
                    tree.put("malformed", malformed.lines());
                    note(malformed, console);
                });
        print(recorded, tree, console);
        return (recorded.closed() ? ExitCode.DONE : ExitCode.NO).number();
    }

    /// Executes an imported trace's ops; a name that no session has is no guest's either.
    private int ofTrace(Console console) {
        try (Journal journal = openLogToExtend();
                Session session = Session.open(journal, machine.guest)) {
            Session placed = machine.placed(session, console);
            Plan plan =
                    new Plan(
                            placed.parts(),
                            placed.header().machine().platform(),
                            placed.header().policy(),
                            Optional.of(session.name()));
            Recorded recorded = ReplayCommand.record(journal, plan, placed, this);
            print(recorded, console);
            return (recorded.closed() ? ExitCode.DONE : ExitCode.NO).number();
        } catch (JournalException e) {
            if (e.kind() == JournalException.Kind.NO_LOG
                    || e.kind() == JournalException.Kind.NO_SESSION) {
                machine.plan();
            }
            throw e;
        }
    }

    private static void note(Malformed malformed, Console console) {
        if (malformed.lines() > 0) {
            console.note(
                    "trapline: left out %s line%s of the log, the first %s",
                    Table.number(malformed.lines()),
                    malformed.lines() == 1 ? "" : "s",
                    malformed.first());
        }
    }

    static Recorded record(Journal journal, Plan plan, Driver driver, LogCommand command) {
        Interrupt interrupt = command.main.interrupt;
        interrupt.hold();
        try (Console.Progress progress = command.console().bar("recording", -1)) {
            return new Recorder(journal, Version.program(), InstantSource.system())
                    .record(plan, driver, interrupt, progress);
        }
    }

    static void print(Recorded recorded, Console console) {
        print(recorded, tree(recorded), console);
    }

    private static void print(Recorded recorded, Map<String, Object> tree, Console console) {
        if (console.json()) {
            console.document(tree);
        } else {
            console.line(recorded.session());
        }
        console.note(
                "%s: %s events, %s guest ops on %d vCPU%s",
                recorded.closed() ? "recorded" : "interrupted, the session is torn",
                Table.number(recorded.events()),
                Table.number(recorded.guestOps()),
                recorded.vcpus(),
                recorded.vcpus() == 1 ? "" : "s");
        for (Failure failure : recorded.failures()) {
            console.note("trapline: %s", failure.describe());
        }
        Broken.note(recorded.violations(), console);
    }

    private static Map<String, Object> tree(Recorded recorded) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("session", recorded.session());
        row.put("events", recorded.events());
        row.put("guestOps", recorded.guestOps());
        row.put("vcpus", recorded.vcpus());
        row.put("status", recorded.closed() ? "closed" : "torn");
        row.put("entryFailures", ResultTree.failures(recorded.failures()));
        row.put("violations", ResultTree.violations(recorded.violations()));
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("session", recorded.session());
        tree.put("sessions", List.of(row));
        return tree;
    }
}

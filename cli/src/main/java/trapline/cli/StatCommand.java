package trapline.cli;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import trapline.engine.sim.EntryFailures.Failure;
import trapline.engine.table.Msrs;
import trapline.journal.Journal;
import trapline.replayer.Names;
import trapline.replayer.ResultTree;
import trapline.replayer.Session;
import trapline.replayer.Statistics;
import trapline.replayer.Tally;
import trapline.replayer.Tally.Accesses;

/// `stat`: exits by reason, MSR, port and vCPU.
@Command(
        name = "stat",
        description = "Counts a session's VM exits by reason, MSR, port and vCPU.",
        footer = {
            "",
            "MSRs and ports are counted where the hypervisor handled them; the guest's accesses that",
            "passed through are in the session's events.",
            "",
            "Examples:",
            "  trapline stat last",
            "  trapline stat last --format json | jq '.byReason[] | [.reason, .count]'"
        })
final class StatCommand extends LogCommand implements Callable<Integer> {

    @Parameters(paramLabel = "SESSION", description = SESSION)
    String session;

    @Override
    public Integer call() {
        Console console = console();
        try (Journal journal = openLogToRead();
                Session opened = Session.open(journal, session);
                Console.Progress progress = console.progress("counting", -1)) {
            Tally tally = Statistics.of(opened, progress);
            if (console.json()) {
                console.document(
                        ResultTree.statistics(opened.name(), opened.header().policy(), tally));
            } else {
                print(opened, opened.header().policy(), tally, console);
            }
        }
        return ExitCode.DONE.number();
    }

    static void print(Session opened, String policy, Tally tally, Console console) {
        console.line(
                "session %s, %s on %s under %s: %s VM exits in %s guest ops, %s events",
                opened.name(),
                opened.header().guest().name(),
                opened.machines().platform().name(),
                policy,
                Table.number(tally.exits()),
                Table.number(tally.guestOps()),
                Table.number(tally.events()));
        Table reasons = new Table("lrr").row("EXIT REASON", "COUNT", "SHARE");
        tally.exitsByReason().entrySet().stream()
                .sorted(Map.Entry.<Long, Long>comparingByValue().reversed())
                .forEach(row ->
                        reasons.row(
                                Names.exit(tally.vendor(), row.getKey()),
                                row.getValue(),
                                "%.2f%%".formatted(100.0 * row.getValue() / tally.exits())));
        console.line("");
        console.out().print(reasons);
        if (!tally.msrAccesses().isEmpty()) {
            Table msrs = new Table("lrr").row("MSR HANDLED", "READS", "WRITES");
            tally.msrAccesses()
                    .forEach((msr, count) -> row(msrs, Msrs.name(msr.intValue()), count));
            console.line("");
            console.out().print(msrs);
        }
        if (!tally.portAccesses().isEmpty()) {
            Table ports = new Table("lrr").row("PORT", "READS", "WRITES");
            tally.portAccesses().forEach((port, count) -> row(ports, Names.hex(port), count));
            console.line("");
            console.out().print(ports);
        }
        Table vcpus = new Table("lr").row("VCPU", "EXITS");
        long[] exits = tally.exitsByVcpu();
        for (int vcpu = 0; vcpu < exits.length; vcpu++) {
            vcpus.row(Integer.toString(vcpu), exits[vcpu]);
        }
        console.line("");
        console.out().print(vcpus);
        List<Failure> failures = tally.entryFailures().all();
        if (!failures.isEmpty()) {
            console.line("");
            long total = tally.entryFailures().total();
            console.line("%s VM %s failed:", Table.number(total), total == 1 ? "entry" : "entries");
            failures.forEach(failure -> console.line("  %s", failure.describe()));
        }
    }

    private static void row(Table table, String name, Accesses count) {
        table.row(name, count.reads(), count.writes());
    }
}

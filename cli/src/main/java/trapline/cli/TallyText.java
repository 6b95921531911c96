package trapline.cli;

import java.util.List;
import java.util.Map;
import trapline.engine.sim.EntryFailures.Failure;
import trapline.engine.table.Msrs;
import trapline.replayer.Names;
import trapline.replayer.Session;
import trapline.replayer.Tally;
import trapline.replayer.Tally.Accesses;

/// What the model's execution of a session amounts to, as text.
final class TallyText {

    private TallyText() {}

    static void print(Session opened, String policy, Tally tally, Console console) {
        printHeadline(opened, policy, tally, console);
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
        printFailures(tally, console);
    }

    static void printFailures(Tally tally, Console console) {
        List<Failure> failures = tally.entryFailures().all();
        if (!failures.isEmpty()) {
            console.line("");
            long total = tally.entryFailures().total();
            console.line("%s VM %s failed:", Table.number(total), total == 1 ? "entry" : "entries");
            failures.forEach(failure -> console.line("  %s", failure.describe()));
        }
    }

    static void printHeadline(Session opened, String policy, Tally tally, Console console) {
        console.line(
                "session %s, %s on %s under %s: %s VM exits in %s guest ops, %s events",
                opened.name(),
                opened.header().guest().name(),
                opened.machines().platform().name(),
                policy,
                Table.number(tally.exits()),
                Table.number(tally.guestOps()),
                Table.number(tally.events()));
    }

    private static void row(Table table, String name, Accesses count) {
        table.row(name, count.reads(), count.writes());
    }
}

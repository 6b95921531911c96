package trapline.cli;

import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import trapline.engine.state.Vendor;
import trapline.journal.Journal;
import trapline.replayer.ReplayException;
import trapline.replayer.ResultTree;
import trapline.replayer.Session;
import trapline.replayer.Tally;
import trapline.replayer.times.ExitTimes;
import trapline.replayer.times.Statistics;
import trapline.replayer.times.TimesTree;

/// `stat`: exits by reason, MSR, port and more, and how long they took.
@Command(
        name = "stat",
        description = "Counts VM exits, and times them where the session has a host's times.",
        footer = {
            "",
            "Times are from an exit to the next entry of its vCPU, userspace and scheduling included.",
            "USERSPACE is how many exits went there, TIME THERE the share of the time from",
            "kvm_userspace_exit on, TIME HALTED what kvm_vcpu_wakeup tells; the KERNEL columns are of",
            "exits that did neither. Minimum, mean, maximum are exact, DEV is the standard deviation",
            "of a sample, percentiles have three significant digits.",
            "",
            "As 'perf kvm stat' does: an MSR, port, CR, hypercall or userspace row is timed from its own",
            "event to the entry, an MMIO write likewise, an MMIO read from the exit to its event; of two",
            "of a kind in one exit the last is timed. Unlike it: all exits are counted, those without a",
            "known entry, too (perf counts pairs); an exit is used as soon as its vCPU is known, even",
            "before that vCPU's first entry; what spans lost events is not timed; MMIO is by page; a",
            "read does not end the time of a write before it; DEV is no relative error of the mean.",
            "",
            "MSRs and ports are counted where the hypervisor handled them; the guest's accesses that",
            "passed through are in the session's events. A dimension has at most 10,000 rows; what",
            "comes later is in the row 'others'.",
            "",
            "--where is asked of each exit, with the variables of 'events': vcpu, pcpu, event.reason,",
            "event.rip, event.info1 and so on of imported ones; what an exit contains counts with it.",
            "Events outside of any exit are asked themselves.",
            "",
            "Examples:",
            "  trapline stat last",
            "  trapline stat trace.txt.gz --interval 1s",
            "  trapline stat last --by reason,msr --sort p99 --top 10 --histogram",
            "  trapline stat last --where 'event.reason == \"MSR_WRITE\" && vcpu == 1' --by rip",
            "  trapline stat last --format json | jq '.byReason[] | [.reason, .count]'"
        })
final class StatCommand extends LogCommand implements Callable<Integer> {

    @Parameters(
            paramLabel = "SESSION",
            description =
                    SESSION + " Or a trace's file, as 'import' reads it, or - for standard input.")
    String session;

    @Mixin LookOptions options;

    @Override
    public Integer call() {
        if (options.rows() < 1) {
            throw usage("--top: expected a number from 1, found %d", options.rows());
        }
        Console console = console();
        if (TraceStat.isTrace(session)) {
            new TraceStat(session, options, console).run();
            return ExitCode.DONE.number();
        }
        try (Journal journal = openLogToRead();
                Session opened = Session.open(journal, session);
                Console.Progress progress = console.progress("counting", -1)) {
            checkVcpu(opened);
            checkInterval(opened);
            Vendor vendor = opened.imported() ? Vendor.VMX : opened.vendor();
            ExitTimes times = new ExitTimes(options.look(), vendor);
            Optional<Tally> tally = Statistics.of(opened, times, progress);
            if (console.json()) {
                console.document(tree(opened, tally, times));
            } else {
                print(opened, tally, times, console);
            }
        }
        return ExitCode.DONE.number();
    }

    private void checkVcpu(Session opened) {
        if (options.vcpu != null && (options.vcpu < 0 || options.vcpu >= opened.vcpus())) {
            throw opened.noVcpu(options.vcpu);
        }
    }

    private void checkInterval(Session opened) {
        if (options.interval != null && !opened.imported()) {
            throw new ReplayException(
                    ReplayException.Kind.NOT_APPLICABLE,
                    "",
                    "session %s is the model's, whose ticks are no times: no --interval"
                            .formatted(opened.name()));
        }
    }

    private SequencedMap<String, Object> tree(
            Session opened, Optional<Tally> tally, ExitTimes times) {
        SequencedMap<String, Object> tree =
                tally.map(counted ->
                                ResultTree.statistics(
                                        opened.name(), opened.header().policy(), counted))
                        .orElseGet(() -> imported(opened, times));
        new TimesTree(times, options.sort, options.rows(), options.histogram).addTo(tree);
        return tree;
    }

    private static SequencedMap<String, Object> imported(Session opened, ExitTimes times) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("session", opened.name());
        tree.put("guest", opened.header().guest().name());
        tree.put("events", times.events());
        return tree;
    }

    private void print(Session opened, Optional<Tally> tally, ExitTimes times, Console console) {
        tally.ifPresentOrElse(
                counted ->
                        TallyText.printHeadline(opened, opened.header().policy(), counted, console),
                () ->
                        console.line(
                                "session %s, imported from %s: %s in %s s, %s events",
                                opened.name(),
                                opened.header().guest().name(),
                                TimesText.exits(times.exits()),
                                TimesText.seconds(times.span()),
                                Table.number(times.events())));
        new TimesText(times, options, console).print();
        tally.ifPresent(counted -> TallyText.printFailures(counted, console));
    }
}

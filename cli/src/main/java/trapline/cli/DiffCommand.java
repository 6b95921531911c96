package trapline.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import trapline.dashboard.DiffPage;
import trapline.engine.cost.CostProfile;
import trapline.engine.policy.Policy;
import trapline.engine.text.InputException;
import trapline.engine.text.Suggestion;
import trapline.journal.Journal;
import trapline.replayer.Diff;
import trapline.replayer.DiffResult;
import trapline.replayer.FidelityRun;
import trapline.replayer.ResultTree;
import trapline.replayer.Session;
import trapline.replayer.parting.Ignored;

/// `diff`: the same guest execution under two policies, or two sessions.
@Command(
        name = "diff",
        description = {
            "Runs a session's ops under two policies and shows what differs.",
            "With two sessions, shows what differs between these: how often and how long, with",
            "confidence intervals where both have times; where the events part if the model made both."
        },
        footer = {
            "",
            "Cycles are typical values of the cost profile, 'from ... to' its low and high ones; they are",
            "a projection over the events and no measurement.",
            "",
            "Two sessions: intervals are of 95 %%. Each trace is cut into 32 windows of equal time, taken as",
            "independent; rates and mean times are ratio estimates over these, compared on a logarithmic",
            "scale by Welch's t. With less than 10 events or 8 windows on a side it is too few to tell.",
            "--ignore takes names of fields as 'events --format json' has them, or type:EVENT; rip stands",
            "for what ends in it, too, like GUEST_RIP.",
            "",
            "Examples:",
            "  trapline diff BEFORE AFTER --format json | jq '.byReason[] | [.reason, .low, .high]'",
            "  trapline diff FIRST SECOND --ignore tick,rip,type:VmcsFieldWritten",
            "  trapline diff last --candidate kvm-6.1,spec-ctrl=v4",
            "  trapline diff last --base kvm-5.15 --candidate my.yaml --html report.html",
            "  trapline diff last --candidate kvm-6.6 --fail-on guest-visible --quiet >/dev/null",
            "  trapline diff TRACE --base kvm-6.1 --candidate kvm-6.18 --cpu EPYC-Milan"
        },
        exitCodeList = "1:What --fail-on names has happened.")
final class DiffCommand extends LogCommand implements Callable<Integer> {

    private static final String STANDARD_OUTPUT = "-";
    private static final Set<String> DIVERGENCE = Set.of("divergence");
    private static final List<String> RULES = List.of("divergence", "guest-visible", "violation");

    @Parameters(paramLabel = "SESSION", index = "0", description = SESSION)
    String session;

    @Parameters(
            paramLabel = "OTHER",
            index = "1",
            arity = "0..1",
            description = "Another session, to compare the first with instead of with a policy.")
    String other;

    @Option(
            names = "--ignore",
            paramLabel = "WHAT",
            split = ",",
            description =
                    "With OTHER: fields that may differ, or type:EVENT for events of that type.")
    List<String> ignore = List.of();

    @Option(
            names = "--base",
            paramLabel = "POLICY",
            description = {
                POLICY,
                "Default: the policy that was recorded; for an imported trace, that of --as"
            })
    String base;

    @Option(
            names = "--candidate",
            paramLabel = "POLICY",
            description = "The policy to compare with it, written likewise.")
    String candidate;

    @Mixin CostOption cost;

    @Mixin TraceOptions trace;

    @Option(
            names = "--html",
            paramLabel = "FILE",
            description =
                    "Write a report to look at; - prints it on standard output, in place of the text.")
    String html;

    @Option(names = "--all", description = "Show the unchanged rows of long lists, too.")
    boolean all;

    @Option(
            names = "--fail-on",
            paramLabel = "RULE",
            split = ",",
            description =
                    "Answer 1 if this happens: divergence (the events differ at all), guest-visible"
                            + " (the guest could tell), violation (the candidate breaks a safety"
                            + " rule).")
    Set<String> failOn = new TreeSet<>();

    @Override
    public Integer call() {
        for (String rule : failOn) {
            if (!RULES.contains(rule)) {
                throw usage(
                        "--fail-on: unknown rule '%s'%s",
                        rule, Suggestion.orAll(rule, "rules", RULES));
            }
        }
        Console console = console();
        if (other != null) {
            return compareSessions(console);
        }
        if (candidate == null) {
            throw usage("Missing required option: '--candidate=POLICY'");
        }
        if (!ignore.isEmpty()) {
            throw usage("--ignore is for two sessions");
        }
        boolean page = STANDARD_OUTPUT.equals(html);
        if (page && console.json()) {
            throw usage("--html - and --format json both want standard output");
        }
        Policy after = MachineOptions.policy(candidate);
        try (Journal journal = openLogToRead();
                Session opened = Session.open(journal, session)) {
            Policy before = before(opened);
            Session placed = trace.placed(opened, before, console);
            DiffResult diff = run(placed, before, after, cost.profile(placed), console);
            if (opened.imported()) {
                diff = held(placed, trace.recording(before), diff, console);
            }
            if (page) {
                console.out().print(DiffPage.of(diff));
            } else if (console.json()) {
                console.document(ResultTree.of(diff));
            } else {
                console.out().print(DiffText.of(diff, all));
            }
            if (html != null && !page) {
                Path file = write(Path.of(html), DiffPage.of(diff));
                console.note("report: %s", file);
            }
            return (matches(diff) ? ExitCode.NO : ExitCode.DONE).number();
        }
    }

    private Policy before(Session opened) {
        String named = base == null ? trace.as : base;
        if (named != null) {
            return MachineOptions.policy(named);
        }
        if (opened.imported()) {
            throw usage(
                    "session %s is an imported trace, which says no policy: --base names one to compare with",
                    opened.name());
        }
        return opened.policy();
    }

    /// Beside an imported trace's diff stands how well the model has the trace itself.
    private static DiffResult held(Session session, Policy as, DiffResult diff, Console console) {
        try (Console.Progress progress = console.progress("holding against the trace", -1)) {
            return diff.heldAgainst(FidelityRun.of(session, as, progress));
        }
    }

    private int compareSessions(Console console) {
        boolean policies =
                candidate != null || base != null || trace.as != null || trace.cpu != null;
        if (policies || html != null || cost.given() || all) {
            throw usage(
                    "two sessions are compared as they are: no --base, --candidate, --as, --cpu, --cost, --html, --all");
        }
        if (!DIVERGENCE.containsAll(failOn)) {
            throw usage("--fail-on: of two sessions only divergence can be asked");
        }
        SessionPair pair = new SessionPair(Ignored.of(ignore), console);
        try (Journal journal = openLogToRead()) {
            boolean parts = pair.compare(journal, session, other);
            return (parts && !failOn.isEmpty() ? ExitCode.NO : ExitCode.DONE).number();
        }
    }

    static DiffResult run(
            Session session, Policy base, Policy candidate, CostProfile costs, Console console) {
        long total = session.entry().closing().map(closing -> closing.events()).orElse(-1L);
        try (Console.Progress progress = console.progress("comparing", total)) {
            return new Diff(session, base, candidate).run(costs, progress);
        }
    }

    /// Makes the folder, too, where it is missing; returns where the page is.
    static Path write(Path file, String page) {
        Path whole = file.toAbsolutePath().normalize();
        try {
            Files.createDirectories(whole.getParent());
            Files.writeString(whole, page, StandardCharsets.UTF_8);
            return whole;
        } catch (IOException e) {
            throw new InputException(
                    InputException.Kind.UNREADABLE,
                    whole.toString(),
                    "cannot be written: " + Failure.reason(e));
        }
    }

    private boolean matches(DiffResult diff) {
        return (failOn.contains("divergence") && diff.firstDivergence().isPresent())
                || (failOn.contains("guest-visible") && !diff.guestVisible().identical())
                || (failOn.contains("violation") && !diff.candidate().violations().isEmpty());
    }
}

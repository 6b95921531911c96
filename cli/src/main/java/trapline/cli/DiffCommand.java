package trapline.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
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
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import trapline.dashboard.DiffPage;
import trapline.engine.cost.CostProfile;
import trapline.engine.policy.Policy;
import trapline.engine.text.Suggestion;
import trapline.journal.Journal;
import trapline.replayer.Diff;
import trapline.replayer.DiffResult;
import trapline.replayer.ResultTree;
import trapline.replayer.Session;

/// `diff`: the same guest execution under two policies.
@Command(
        name = "diff",
        description = "Runs a session's ops under two policies and shows what differs.")
final class DiffCommand extends LogCommand implements Callable<Integer> {

    private static final List<String> RULES = List.of("divergence", "guest-visible");

    @Parameters(paramLabel = "SESSION", description = "Its id or how that begins; or 'last'.")
    String session;

    @Option(
            names = "--base",
            paramLabel = "POLICY",
            description = "Default: the policy that was recorded.")
    String base;

    @Option(names = "--candidate", paramLabel = "POLICY", required = true)
    String candidate;

    @Mixin CostOption cost;

    @Option(names = "--html", paramLabel = "FILE", description = "Write a report to look at.")
    Path html;

    @Option(names = "--all", description = "Show the unchanged rows of long lists, too.")
    boolean all;

    @Option(
            names = "--fail-on",
            paramLabel = "RULE",
            split = ",",
            description = {
                "Answer 1 if this happens: divergence (the events differ at all),",
                "guest-visible (the guest could tell)."
            })
    Set<String> failOn = new TreeSet<>();

    @Override
    public Integer call() {
        for (String rule : failOn) {
            if (!RULES.contains(rule)) {
                throw new ParameterException(
                        spec.commandLine(),
                        "--fail-on: unknown rule '%s'%s"
                                .formatted(rule, Suggestion.of(rule, RULES)));
            }
        }
        Console console = console();
        try (Journal journal = openLogToRead();
                Session opened = Session.open(journal, session)) {
            Policy before = base == null ? opened.policy() : MachineOptions.policy(base);
            Policy after = MachineOptions.policy(candidate);
            DiffResult diff = run(opened, before, after, cost.profile(opened), console);
            if (console.json()) {
                console.document(ResultTree.of(diff));
            } else {
                console.out().print(DiffText.of(diff, all));
            }
            if (html != null) {
                write(html, DiffPage.of(diff));
                console.note("report: %s", html.toAbsolutePath());
            }
            return (matches(diff) ? ExitCode.NO : ExitCode.DONE).number();
        }
    }

    static DiffResult run(
            Session session, Policy base, Policy candidate, CostProfile costs, Console console) {
        long total = session.entry().closing().map(closing -> closing.events()).orElse(-1L);
        try (Console.Progress progress = console.progress("comparing", total)) {
            return new Diff(session, base, candidate).run(costs, progress);
        }
    }

    static void write(Path file, String page) {
        try {
            if (file.toAbsolutePath().getParent() != null) {
                Files.createDirectories(file.toAbsolutePath().getParent());
            }
            Files.writeString(file, page, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean matches(DiffResult diff) {
        return (failOn.contains("divergence") && diff.firstDivergence().isPresent())
                || (failOn.contains("guest-visible") && !diff.guestVisible().identical());
    }
}

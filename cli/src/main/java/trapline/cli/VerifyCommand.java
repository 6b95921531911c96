package trapline.cli;

import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import trapline.engine.policy.Policy;
import trapline.journal.Journal;
import trapline.replayer.FidelityRun;
import trapline.replayer.ResultTree;
import trapline.replayer.Session;
import trapline.replayer.TraceTree;
import trapline.replayer.Verification;
import trapline.replayer.Verify;
import trapline.replayer.observed.Fidelity;

/// `verify`: whether a session is what was recorded, and comes out again.
@Command(
        name = "verify",
        description = "Checks a session byte for byte, rebuilds it and executes it again.",
        footer = {
            "",
            "Checks: header (texts match their hashes), sequence (no record lost, doubled or changed),",
            "state (the digest that was recorded), checkpoints, execution (every event comes out again).",
            "",
            "Of an imported trace, which no policy of ours made, --as says how well the model's exits under",
            "that policy match those that the trace has: its fidelity. Exits that no op of the model stands",
            "for ('not modelled') and such whose op the trace does not tell are counted apart.",
            "",
            "Examples:",
            "  trapline verify last",
            "  trapline verify TRACE --as kvm-6.1 --cpu EPYC-Milan"
        },
        exitCodeList = "1:The session is not what was recorded, or does not come out again.")
final class VerifyCommand extends LogCommand implements Callable<Integer> {

    @Parameters(paramLabel = "SESSION", description = SESSION)
    String session;

    @Mixin TraceOptions trace;

    @Override
    public Integer call() {
        Console console = console();
        Verification verification;
        Optional<Fidelity> fidelity = Optional.empty();
        Optional<Policy> as = as();
        try (Journal journal = openLogToRead()) {
            try (Console.Progress progress = console.progress("verifying", -1)) {
                verification = Verify.of(journal, session, progress);
            }
            if (as.isPresent() && verification.ok()) {
                fidelity = Optional.of(fidelity(journal, as.get(), console));
            }
        }
        print(verification, fidelity, console);
        return (verification.ok() ? ExitCode.DONE : ExitCode.NO).number();
    }

    private Optional<Policy> as() {
        if (trace.as == null && trace.cpu != null) {
            throw usage("--cpu: --as names the policy to hold against the trace on it");
        }
        return Optional.ofNullable(trace.as).map(MachineOptions::policy);
    }

    /// Only of a whole trace: a damaged one is not held against anything.
    private Fidelity fidelity(Journal journal, Policy as, Console console) {
        try (Session opened = Session.open(journal, session)) {
            Session placed = trace.placed(opened, as, console);
            try (Console.Progress progress = console.progress("holding against the trace", -1)) {
                return FidelityRun.of(placed, as, progress).fidelity();
            }
        }
    }

    static void print(Verification verification, Console console) {
        print(verification, Optional.empty(), console);
    }

    private static void print(
            Verification verification, Optional<Fidelity> fidelity, Console console) {
        if (console.json()) {
            SequencedMap<String, Object> tree = ResultTree.of(verification);
            fidelity.ifPresent(held -> tree.put("fidelity", TraceTree.of(held)));
            console.document(tree);
            return;
        }
        Table table = new Table("lll");
        for (Verification.Check check : verification.checks()) {
            String message =
                    check.place().isEmpty() || check.message().startsWith(check.place())
                            ? check.message()
                            : check.place() + ": " + check.message();
            table.row(check.ok() ? "ok" : "WRONG", check.name(), message);
        }
        console.out().print(table);
        console.line(
                "session %s: %s, %s events",
                verification.session(),
                verification.ok() ? "verified" : "NOT what was recorded",
                Table.number(verification.events()));
        fidelity.ifPresent(held -> console.out().print(FidelityText.of(held)));
    }
}

package trapline.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import trapline.journal.Journal;
import trapline.replayer.ResultTree;
import trapline.replayer.Verification;
import trapline.replayer.Verify;

/// `verify`: whether a session is what was recorded, and comes out again.
@Command(
        name = "verify",
        description = "Checks a session byte for byte, rebuilds it and executes it again.",
        footer = {
            "",
            "Checks: header (texts match their hashes), sequence (no record lost, doubled or changed),",
            "state (the digest that was recorded), checkpoints, execution (every event comes out again).",
            "",
            "Example:",
            "  trapline verify last"
        },
        exitCodeList = "1:The session is not what was recorded, or does not come out again.")
final class VerifyCommand extends LogCommand implements Callable<Integer> {

    @Parameters(paramLabel = "SESSION", description = SESSION)
    String session;

    @Override
    public Integer call() {
        Console console = console();
        Verification verification;
        try (Journal journal = openLogToRead();
                Console.Progress progress = console.progress("verifying", -1)) {
            verification = Verify.of(journal, session, progress);
        }
        print(verification, console);
        return (verification.ok() ? ExitCode.DONE : ExitCode.NO).number();
    }

    static void print(Verification verification, Console console) {
        if (console.json()) {
            console.document(ResultTree.of(verification));
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
    }
}

package trapline.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import trapline.journal.JournalException;

class MainTest {

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final CommandLine trapline =
            Main.configure(
                    new CommandLine(new Main()).addSubcommand(new ProbeCommand()),
                    new PrintWriter(out),
                    new PrintWriter(err));

    @Test
    void printsVersion() {
        assertEquals(0, run("--version"));
        assertTrue(out.toString().matches("trapline \\d+\\.\\d+\\.\\d+\\R"), out.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"--help", "help", "probe --help", "help probe"})
    void printsHelp(String line) {
        assertEquals(0, run(line.split(" ")));
        assertTrue(out.toString().contains("--log"), out.toString());
        assertEquals("", err.toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--log kafka:a:1,b:2 --format json --quiet probe show",
                "probe show --log kafka:a:1,b:2 --format json --quiet",
                "--log kafka:a:1,b:2 probe --format JSON show --quiet"
            })
    void takesGlobalOptionsBeforeAndAfterTheCommand(String line) {
        assertEquals(0, run(line.split(" ")), err.toString());
        assertEquals("kafka:a:1,b:2 json true", out.toString());
    }

    @Test
    void hasDefaultsForGlobalOptions() {
        assertEquals(0, run("probe", "show"), err.toString());
        assertEquals("embedded:.trapline text false", out.toString());
    }

    @Test
    void suggestsTheNearestCommand() {
        assertEquals(2, run("prbe"));
        assertEquals(
                "trapline: unknown command 'prbe'; did you mean probe?\nTry 'trapline --help'.\n",
                err.toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "--fromat json", "--format xml", "--log tape:x", "--log file:", "probe"})
    void answersWrongUsageWithTwo(String line) {
        assertEquals(2, run(line.isEmpty() ? new String[0] : line.split(" ")));
        assertEquals(2, err.toString().lines().count(), err.toString());
        assertEquals("", out.toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "no 1",
                "missing 3",
                "unreadable 3",
                "broken 70",
                "overflow 70",
                "full 3",
                "unread 141",
                "unreachable 4",
                "nosession 3"
            })
    void mapsWhatGoesWrongToAnExitCode(String doAndCode) {
        String[] words = doAndCode.split(" ");
        assertEquals(Integer.parseInt(words[1]), run("probe", words[0]));
        assertFalse(err.toString().contains("\tat "), "a stack trace: " + err);
        assertTrue(err.toString().lines().count() <= 1, err.toString());
    }

    private int run(String... args) {
        return Main.run(trapline, args);
    }

    /// A command that shows the global options, or fails as it is told.
    @Command(name = "probe")
    static final class ProbeCommand implements Callable<Integer> {

        @ParentCommand Main trapline;

        @Parameters String what;

        @CommandLine.Spec CommandLine.Model.CommandSpec spec;

        @Override
        public Integer call() throws IOException {
            return switch (what) {
                case "show" -> show();
                case "no" -> ExitCode.NO.number();
                case "missing" -> throw new NoSuchFileException("guest.yaml");
                case "unreadable" -> throw new IOException("guest.yaml: line 3: not a scenario");
                case "broken" -> throw new IllegalStateException("broken");
                case "overflow" -> throw new StackOverflowError();
                case "full" -> throw closed("No space left on device");
                case "unread" -> throw closed("Broken pipe");
                case "unreachable" -> throw log(JournalException.Kind.UNREACHABLE);
                case "nosession" -> throw log(JournalException.Kind.NO_SESSION);
                default -> throw new AssertionError(what);
            };
        }

        private static StandardOutput.Closed closed(String why) {
            return new StandardOutput.Closed(new IOException(why));
        }

        private static JournalException log(JournalException.Kind kind) {
            return new JournalException(kind, "kafka:a:1", "as the log says");
        }

        private int show() {
            Globals globals = trapline.globals;
            spec.commandLine()
                    .getOut()
                    .print(globals.log + " " + globals.format + " " + globals.quiet);
            return ExitCode.DONE.number();
        }
    }
}

package trapline.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.RunLast;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/// The program `trapline`: what a user types becomes a command, what goes wrong an exit code.
@Command(
        name = "trapline",
        description =
                "A flight recorder and what-if laboratory for hypervisor interception policies.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        scope = ScopeType.INHERIT,
        subcommands = {
            DemoCommand.class,
            RecordCommand.class,
            ImportCommand.class,
            SessionsCommand.class,
            EventsCommand.class,
            StateCommand.class,
            VerifyCommand.class,
            ReplayCommand.class,
            DiffCommand.class,
            StatCommand.class,
            CasesCommand.class,
            PoliciesCommand.class,
            CpusCommand.class,
            GuestsCommand.class,
            CostsCommand.class,
            BrokerCommand.class,
            ExportCommand.class,
            CalibrateCommand.class,
            ServeCommand.class,
            WorkerCommand.class,
            FleetCommand.class,
            HelpCommand.class
        })
public final class Main implements Runnable {

    @Mixin final Globals globals = new Globals();

    @Spec private CommandSpec spec;

    /// The user's wish to end, while a command runs.
    Interrupt interrupt;

    public static void main(String[] args) {
        Locale.setDefault(Locale.ROOT);
        Thread.setDefaultUncaughtExceptionHandler((_, thrown) -> report(thrown, errors()));
        System.exit(run(args));
    }

    /// Runs one command as the process would, and returns its exit code.
    static int run(String... args) {
        CommandLine trapline = new CommandLine(new Main());
        return run(configure(trapline, StandardOutput.writer(), errors()), args);
    }

    /// Left to the JVM, an [Error] would end it with 1, which means "no".
    static int run(CommandLine trapline, String... args) {
        Main main = trapline.getCommand();
        try (Interrupt interrupt = new Interrupt()) {
            main.interrupt = interrupt;
            int code = trapline.execute(args);
            trapline.getOut().flush();
            return code;
        } catch (Error | StandardOutput.Closed e) {
            return report(e, trapline.getErr());
        }
    }

    static CommandLine configure(CommandLine trapline, PrintWriter out, PrintWriter err) {
        HelpLayout.apply(trapline);
        trapline.getCommandSpec()
                .usageMessage()
                .footer(
                        "",
                        "Results go to standard output alone; messages and progress to standard error.",
                        "Begin with: trapline demo");
        return trapline.registerConverter(LogAddress.class, LogAddress::parse)
                .registerConverter(Globals.Format.class, Main::format)
                .registerConverter(int.class, Main::number)
                .registerConverter(Integer.class, Main::number)
                .registerConverter(long.class, Main::longNumber)
                .registerConverter(Long.class, Main::longNumber)
                .setOut(out)
                .setErr(err)
                .setExecutionStrategy(line -> execute(line, err))
                .setParameterExceptionHandler((e, _) -> reportUsage(e, err))
                .setExecutionExceptionHandler((e, _, _) -> report(e, err));
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "which command?");
    }

    /// What goes wrong while picocli itself prints help would otherwise be a stack trace.
    private static int execute(ParseResult line, PrintWriter err) {
        try {
            return new RunLast().execute(line);
        } catch (StandardOutput.Closed e) {
            return report(e, err);
        }
    }

    private static Globals.Format format(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "text" -> Globals.Format.TEXT;
            case "json" -> Globals.Format.JSON;
            default ->
                    throw new TypeConversionException(
                            "expected text or json, found '" + text + "'");
        };
    }

    private static int number(String text) {
        long number = longNumber(text);
        if (number != (int) number) {
            throw new TypeConversionException("expected a smaller number, found '" + text + "'");
        }
        return (int) number;
    }

    /// Decimal, or hexadecimal after `0x`.
    private static long longNumber(String text) {
        try {
            return text.startsWith("0x")
                    ? Long.parseUnsignedLong(text.substring(2), 16)
                    : Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new TypeConversionException("expected a whole number, found '" + text + "'");
        }
    }

    private static PrintWriter errors() {
        return new PrintWriter(System.err, true, UTF_8);
    }

    private static int reportUsage(ParameterException thrown, PrintWriter err) {
        int code = report(unknownFirst(thrown), err);
        err.println(
                "Try '" + thrown.getCommandLine().getCommandSpec().qualifiedName() + " --help'.");
        return code;
    }

    /// Who mistypes an option is told so, and not that the option is missing.
    private static ParameterException unknownFirst(ParameterException thrown) {
        List<String> unknown =
                thrown.getCommandLine().getUnmatchedArguments().stream()
                        .filter(word -> word.startsWith("-"))
                        .toList();
        return thrown instanceof MissingParameterException && !unknown.isEmpty()
                ? new UnmatchedArgumentException(thrown.getCommandLine(), unknown)
                : thrown;
    }

    private static int report(Throwable thrown, PrintWriter err) {
        if (Boolean.getBoolean("trapline.debug")) {
            thrown.printStackTrace(err);
        }
        Failure failure = Failure.of(thrown);
        if (!failure.message().isEmpty()) {
            err.println("trapline: " + failure.message());
        }
        return failure.code().number();
    }
}

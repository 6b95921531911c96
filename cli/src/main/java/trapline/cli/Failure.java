package trapline.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine.ExecutionException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;
import trapline.dashboard.web.NoListener;
import trapline.engine.text.InputException;
import trapline.engine.text.Suggestion;
import trapline.journal.JournalException;
import trapline.replayer.ReplayException;

/// What a user is told when a command cannot go on: a message, empty for none, and an exit code.
record Failure(ExitCode code, String message) {

    /// Whatever reaches the top becomes a message and an exit code here and nowhere else.
    static Failure of(Throwable thrown) {
        return switch (thrown) {
            case UnmatchedArgumentException unmatched ->
                    new Failure(ExitCode.USAGE, describe(unmatched));
            case ParameterException usage -> new Failure(ExitCode.USAGE, sentence(usage));
            case FileSystemException file -> badInput(file.getFile() + ": " + reason(file));
            case IOException io -> badInput(reason(io));
            case StandardOutput.Closed closed when closed.readerHasGone() ->
                    new Failure(ExitCode.NOBODY_READS, "");
            case StandardOutput.Closed closed ->
                    badInput("standard output: " + closed.getCause().getMessage());
            case Interrupt.Stopped stopped ->
                    new Failure(ExitCode.INTERRUPTED, stopped.getMessage());
            case UncheckedIOException io -> of(io.getCause());
            case ExecutionException wrapped when wrapped.getCause() != null ->
                    of(wrapped.getCause());
            case InputException input -> badInput(input.getMessage());
            case ReplayException replay -> new Failure(code(replay), replay.getMessage());
            case JournalException log -> new Failure(code(log), log.getMessage());
            case NoListener taken -> badInput(taken.getMessage());
            case OutOfMemoryError _ -> new Failure(ExitCode.INTERNAL, outOfMemory());
            default -> new Failure(ExitCode.INTERNAL, "internal error: " + thrown);
        };
    }

    /// Why a file cannot be read or written, in the system's words.
    static String reason(IOException thrown) {
        return switch (thrown) {
            case NoSuchFileException _ -> "no such file or folder";
            case AccessDeniedException _ -> "permission denied";
            case FileAlreadyExistsException file -> file.getFile() + " is no folder";
            case FileSystemException file when file.getReason() != null -> file.getReason();
            default -> thrown.getMessage() == null ? thrown.toString() : thrown.getMessage();
        };
    }

    private static ExitCode code(ReplayException replay) {
        return switch (replay.kind()) {
            case NO_SUCH_PLACE, NOT_APPLICABLE -> ExitCode.BAD_INPUT;
            case DAMAGED, NEWER -> ExitCode.LOG;
        };
    }

    private static ExitCode code(JournalException log) {
        return switch (log.kind()) {
            case NO_SESSION, AMBIGUOUS -> ExitCode.BAD_INPUT;
            case UNREACHABLE, REFUSED, NO_LOG, DAMAGED, NEWER, STORAGE, BUSY, CONFIGURATION ->
                    ExitCode.LOG;
        };
    }

    private static Failure badInput(String message) {
        return new Failure(ExitCode.BAD_INPUT, message);
    }

    private static String describe(UnmatchedArgumentException unmatched) {
        String word = unmatched.getUnmatched().getFirst();
        String kind =
                unmatched.isUnknownOption()
                        ? "option"
                        : isCommand(unmatched) ? "command" : "argument";
        return "unknown %s '%s'%s".formatted(kind, word, Suggestion.of(word, known(unmatched)));
    }

    private static Set<String> known(UnmatchedArgumentException unmatched) {
        CommandSpec command = unmatched.getCommandLine().getCommandSpec();
        return unmatched.isUnknownOption()
                ? new TreeSet<>(command.optionsMap().keySet())
                : new TreeSet<>(command.subcommands().keySet());
    }

    /// Picocli's own words, begun as ours are.
    private static String sentence(ParameterException usage) {
        String words = usage.getMessage();
        return words.isEmpty()
                ? words
                : words.substring(0, 1).toLowerCase(Locale.ROOT) + words.substring(1);
    }

    private static boolean isCommand(UnmatchedArgumentException unmatched) {
        return !unmatched.getCommandLine().getSubcommands().isEmpty();
    }

    private static String outOfMemory() {
        long mebibytes = Runtime.getRuntime().maxMemory() >> 20;
        return "out of memory at %d MiB: set TRAPLINE_JAVA_OPTS=-Xmx4g or so to allow more"
                .formatted(mebibytes);
    }
}

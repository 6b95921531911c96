package trapline.cli;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;
import trapline.journal.Journal;
import trapline.journal.Journals;

/// What commands that work on a log have in common.
abstract class LogCommand {

    /// How users name a session.
    static final String SESSION = "Its id, or how only that one begins; or 'last', the newest.";

    /// How users write a policy.
    static final String POLICY =
            "BASE[,MECHANISM=VARIANT]... (see 'policies') or a file; - for standard input.";

    @ParentCommand Main main;

    @Spec CommandSpec spec;

    Console console() {
        return new Console(main, spec);
    }

    /// The log, made where it is not there yet.
    Journal openLog() {
        return checked(() -> Journals.open(main.globals.log.text(), kafkaConfig()));
    }

    /// The log, which must be there, to record into.
    Journal openLogToExtend() {
        return checked(() -> Journals.openExisting(main.globals.log.text(), kafkaConfig()));
    }

    /// The log, which must be there.
    Journal openLogToRead() {
        return checked(() -> Journals.openReadOnly(main.globals.log.text(), kafkaConfig()));
    }

    private Optional<Path> kafkaConfig() {
        return Optional.ofNullable(main.globals.kafkaConfig);
    }

    /// A broker of our own is closed in order, even if the user wants nothing more of it.
    private Journal checked(Supplier<Journal> opening) {
        if (main.globals.log.kind() == LogAddress.Kind.EMBEDDED) {
            main.interrupt.hold();
        }
        Journal journal = opening.get();
        if (!main.interrupt.getAsBoolean()) {
            journal.close();
            throw new Interrupt.Stopped();
        }
        return journal;
    }

    ParameterException usage(String format, Object... arguments) {
        return new ParameterException(
                spec.commandLine(), String.format(Locale.ROOT, format, arguments));
    }
}

package trapline.cli;

import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;
import trapline.journal.Journal;
import trapline.journal.Journals;

/// What commands that work on a log have in common.
abstract class LogCommand {

    @ParentCommand Main main;

    @Spec CommandSpec spec;

    Console console() {
        return new Console(main.globals, spec);
    }

    /// The log, made where it is not there yet.
    Journal openLog() {
        return Journals.open(
                main.globals.log.text(), Optional.ofNullable(main.globals.kafkaConfig));
    }

    /// The log, which must be there.
    Journal openLogToRead() {
        return Journals.openReadOnly(
                main.globals.log.text(), Optional.ofNullable(main.globals.kafkaConfig));
    }
}

package trapline.cli;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Where a result goes that may be a file.
final class OutOptions {

    private static final String STANDARD_OUTPUT = "-";

    @Option(
            names = "--out",
            paramLabel = "FILE",
            defaultValue = STANDARD_OUTPUT,
            description = "Where to; - is standard output. Default: ${DEFAULT-VALUE}")
    String out;

    @Option(names = "--force", description = "Replace FILE of --out if it is there.")
    boolean force;

    @Spec(Spec.Target.MIXEE)
    CommandSpec command;

    /// Whether it goes to standard output.
    boolean piped() {
        return out.equals(STANDARD_OUTPUT);
    }

    Path path() {
        try {
            return Path.of(out);
        } catch (InvalidPathException e) {
            throw new ParameterException(
                    command.commandLine(), "--out: not a path: " + e.getReason());
        }
    }
}

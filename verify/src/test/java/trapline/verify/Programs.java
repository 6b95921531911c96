package trapline.verify;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/// Programs of others that tests use: what is not there is skipped, and said, unless `-Dtrapline.tools=required`.
final class Programs {

    private Programs() {}

    static Optional<Path> find(String name) {
        for (String folder : System.getenv("PATH").split(":")) {
            Path program = Path.of(folder, name);
            if (program.toFile().canExecute()) {
                return Optional.of(program);
            }
        }
        return Optional.empty();
    }

    /// @param absent what to say where it is not there
    static void require(boolean there, String absent) {
        if (!there) {
            Assertions.assertNotEquals("required", System.getProperty("trapline.tools"), absent);
            System.out.println(absent + ": skipped");
        }
        Assumptions.assumeTrue(there, absent);
    }
}

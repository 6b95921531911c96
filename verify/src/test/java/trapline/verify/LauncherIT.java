package trapline.verify;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The launcher of the distribution, as a user meets it: by links, from elsewhere, under options of their own.
class LauncherIT {

    private static final Path DIST = Path.of("../cli/target/dist").toAbsolutePath().normalize();

    @TempDir Path directory;

    private Path trapline;

    @BeforeEach
    void link() throws IOException {
        Path folder = Files.createDirectories(directory.resolve("a folder"));
        Files.createSymbolicLink(folder.resolve("dist"), DIST);
        trapline =
                Files.createSymbolicLink(
                        directory.resolve("trapline"), Path.of("a folder/dist/trapline"));
    }

    @AfterEach
    void unlink() throws IOException {
        Files.delete(trapline);
        Files.delete(directory.resolve("a folder/dist"));
    }

    @Test
    void runsThroughLinksFromAnyDirectory() throws Exception {
        Result result = run(Map.of(), "--version");
        assertTrue(result.out().startsWith("trapline "), result.toString());
        assertEquals(0, result.code(), result.toString());
    }

    @Test
    void answersWithTheProgramsExitCode() throws Exception {
        assertEquals(2, run(Map.of(), "no-such-command").code());
    }

    @Test
    void passesOptionsToTheJvm() throws Exception {
        Result result = run(Map.of("TRAPLINE_JAVA_OPTS", "-Xmx64m -XshowSettings:vm"), "--version");
        assertTrue(result.err().contains("Max. Heap Size: 64.00M"), result.toString());
    }

    @Test
    void printsNoWordOfTheJvmsWhereTheCacheDoesNotFit() throws Exception {
        Result result = run(Map.of("TRAPLINE_JAVA_OPTS", "-XX:-UseCompressedOops"), "--version");
        assertTrue(result.out().startsWith("trapline "), result.toString());
        assertEquals("", result.err());
    }

    private Result run(Map<String, String> environment, String argument) throws Exception {
        Path out = directory.resolve("out");
        Path err = directory.resolve("err");
        List<String> command = List.of(trapline.toString(), argument);
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .directory(directory.toFile())
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile());
        builder.environment().putAll(environment);
        int code = builder.start().waitFor();
        return new Result(code, Files.readString(out, UTF_8), Files.readString(err, UTF_8));
    }

    private record Result(int code, String out, String err) {}
}

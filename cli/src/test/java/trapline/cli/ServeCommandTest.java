package trapline.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What `serve` refuses to start with.
class ServeCommandTest {

    @TempDir Path folder;

    private Ran serve(String... options) {
        String[] words = new String[options.length + 3];
        words[0] = "serve";
        words[1] = "--log";
        words[2] = "embedded:" + folder.resolve("log");
        System.arraycopy(options, 0, words, 3, options.length);
        return Ran.trapline(words);
    }

    /// 192.0.2.1 is in no network.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0.0.0.0:0 | --listen 0.0.0.0:0: other machines could ask, which takes --tls-key and --tls-cert and --token-file as well",
                "[::]:7070 | --listen [::]:7070: other machines could ask, which takes --tls-key and --tls-cert and --token-file as well",
                "192.0.2.1:1 | --listen 192.0.2.1:1: other machines could ask, which takes --tls-key and --tls-cert and --token-file as well",
                "7070 | --listen: expected HOST:PORT, found '7070'",
                "127.0.0.1:65536 | --listen: expected HOST:PORT, found '127.0.0.1:65536'"
            })
    void itDoesNotStart(String listen, String message) {
        assertEquals(message, serve("--listen", listen).expect(ExitCode.USAGE).message());
        assertTrue(Files.notExists(folder.resolve("log")), "a log was made");
    }

    @Test
    void aTokenIsLongAndInAFile() throws IOException {
        Path file = Files.writeString(folder.resolve("token"), "x".repeat(31) + "\n");
        String message =
                serve("--listen", "0.0.0.0:0", "--token-file", file.toString())
                        .expect(ExitCode.BAD_INPUT)
                        .message();
        assertTrue(message.startsWith(file + ": expected a token of at least 32"), message);
        Files.writeString(file, "x".repeat(32) + "\n");
        assertEquals(
                "--listen 0.0.0.0:0: other machines could ask, which takes --tls-key and --tls-cert as well",
                serve("--listen", "0.0.0.0:0", "--token-file", file.toString())
                        .expect(ExitCode.USAGE)
                        .message());
    }

    @Test
    void aKeyComesWithItsCertificate() throws IOException {
        Path key = Files.writeString(folder.resolve("key.pem"), "no key");
        assertEquals(
                "--tls-key and --tls-cert go together",
                serve("--tls-key", key.toString()).expect(ExitCode.USAGE).message());
        assertEquals(
                key + ": expected a private key in PEM",
                serve("--tls-key", key.toString(), "--tls-cert", key.toString())
                        .expect(ExitCode.BAD_INPUT)
                        .message());
    }
}

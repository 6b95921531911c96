package trapline.verify.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;
import trapline.cli.Main;

/// The embedded broker in a process of its own, as other clients would meet it.
final class Broker implements AutoCloseable {

    private final Path folder;
    private final Child process;
    private final String address;

    Broker() throws IOException {
        folder = Files.createTempDirectory("trapline-bench");
        process =
                Child.ours(
                        "512m",
                        Main.class,
                        "broker",
                        "--log",
                        "embedded:" + folder,
                        "--format",
                        "json");
        address = Document.of(process).get("bootstrapServers").asText();
    }

    String address() {
        return address;
    }

    @Override
    public void close() throws IOException {
        process.close();
        delete(folder);
    }

    static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}

package trapline.engine.text;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/// The files that come with the program, by folder: `policies`, `platforms`, `guests`, `costs`.
public final class Resources {

    private Resources() {}

    /// The names in a folder, without their ending, in its own order.
    public static List<String> names(String folder) {
        return text(folder + "/index.txt").orElseThrow().lines().toList();
    }

    /// The text of a file, where there is one.
    public static Optional<String> text(String path) {
        return bytes(path).map(bytes -> new String(bytes, StandardCharsets.UTF_8));
    }

    public static Optional<byte[]> bytes(String path) {
        try (InputStream in = Resources.class.getResourceAsStream("/trapline/" + path)) {
            return in == null ? Optional.empty() : Optional.of(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

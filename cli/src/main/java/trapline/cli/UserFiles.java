package trapline.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;

/// Reads the files that users name, bounded in size; `-` is standard input.
final class UserFiles {

    private static final int LARGEST = 64 * 1024 * 1024;

    private static final String STANDARD_INPUT = "-";

    private UserFiles() {}

    /// The text of a file, or nothing where the name is none of a file.
    static Optional<String> text(String name) {
        if (name.equals(STANDARD_INPUT)) {
            return Optional.of(StandardInput.text());
        }
        Path path;
        try {
            path = Path.of(name);
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
        if (!name.isBlank() && Files.isDirectory(path)) {
            throw unreadable(name, "expected a file, found a directory");
        }
        if (name.isBlank() || !Files.exists(path)) {
            if (name.contains("/") || name.endsWith(".yaml") || name.endsWith(".yml")) {
                throw unreadable(name, "no such file");
            }
            return Optional.empty();
        }
        try (InputStream in = Files.newInputStream(path)) {
            return Optional.of(read(in, name));
        } catch (IOException e) {
            throw unreadable(name, "cannot be read: " + Failure.reason(e));
        }
    }

    /// Read once, however often it is named.
    private static final class StandardInput {

        private static String read;

        static synchronized String text() {
            if (read == null) {
                try {
                    read = read(System.in, "standard input");
                } catch (IOException e) {
                    throw unreadable("standard input", "cannot be read: " + e.getMessage());
                }
            }
            return read;
        }
    }

    private static String read(InputStream in, String name) throws IOException {
        byte[] bytes = in.readNBytes(LARGEST + 1);
        if (bytes.length > LARGEST) {
            throw new InputException(
                    Kind.TOO_LARGE, name, "more than %,d bytes".formatted(LARGEST));
        }
        if (bytes.length > 1 && bytes[0] == 0x1f && bytes[1] == (byte) 0x8b) {
            throw unreadable(name, "compressed; expected text, try gunzip first");
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw unreadable(name, "expected UTF-8 text");
        }
    }

    private static InputException unreadable(String name, String message) {
        return new InputException(Kind.UNREADABLE, name, message);
    }
}

package trapline.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;

/// Reads the files that users name, bounded in size.
final class UserFiles {

    private static final long LARGEST = 64L * 1024 * 1024;

    private UserFiles() {}

    /// The text of a file, or nothing where the name is none of a file.
    static Optional<String> text(String name) {
        Path path;
        try {
            path = Path.of(name);
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
        if (!Files.exists(path)) {
            if (name.contains("/") || name.endsWith(".yaml") || name.endsWith(".yml")) {
                throw new InputException(Kind.UNREADABLE, name, "no such file");
            }
            return Optional.empty();
        }
        if (Files.isDirectory(path)) {
            return Optional.empty();
        }
        return Optional.of(read(path, name));
    }

    private static String read(Path path, String name) {
        try {
            long size = Files.size(path);
            if (size > LARGEST) {
                throw new InputException(
                        Kind.TOO_LARGE,
                        name,
                        "%,d bytes, at most %,d are read".formatted(size, LARGEST));
            }
            byte[] bytes = Files.readAllBytes(path);
            if (bytes.length > 1 && bytes[0] == 0x1f && bytes[1] == (byte) 0x8b) {
                throw new InputException(
                        Kind.UNREADABLE, name, "compressed; expected text, try gunzip first");
            }
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new InputException(Kind.UNREADABLE, name, "expected UTF-8 text");
        } catch (IOException e) {
            throw new InputException(Kind.UNREADABLE, name, "cannot be read: " + e.getMessage());
        }
    }
}

package trapline.cli;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;

/// A file that has its name once it is whole, and not before.
final class ExportFile implements AutoCloseable {

    private static final int BUFFER = 1 << 16;

    private final Path file;
    private final Path draft;
    private final OutputStream out;

    private ExportFile(Path file, Path draft, OutputStream out) {
        this.file = file;
        this.draft = draft;
        this.out = out;
    }

    /// @param force whether a file that is there may be replaced
    static ExportFile create(Path named, boolean force) throws IOException {
        Path file = named.toAbsolutePath().normalize();
        boolean exists = Files.exists(file);
        if (Files.isDirectory(file)) {
            throw refused(named, "expected a file, found a directory");
        }
        if (exists && !Files.isRegularFile(file)) {
            return new ExportFile(file, file, buffered(file));
        }
        if (exists && !force) {
            throw refused(named, "is there already; --force replaces it");
        }
        Files.createDirectories(file.getParent());
        Path draft = file.resolveSibling("." + file.getFileName() + ".part");
        return new ExportFile(file, draft, buffered(draft));
    }

    private static OutputStream buffered(Path file) throws IOException {
        return new BufferedOutputStream(Files.newOutputStream(file), BUFFER);
    }

    private static InputException refused(Path file, String why) {
        return new InputException(Kind.UNREADABLE, file.toString(), why);
    }

    OutputStream out() {
        return out;
    }

    /// Gives the file its name.
    void finish() throws IOException {
        out.close();
        if (!draft.equals(file)) {
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    /// Without [#finish] before, leaves nothing behind.
    @Override
    public void close() throws IOException {
        try {
            out.close();
        } finally {
            if (!draft.equals(file)) {
                Files.deleteIfExists(draft);
            }
        }
    }
}

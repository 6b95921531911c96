package trapline.journal.disk;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// A file held by one process alone, until it is closed or the process is gone, however it ended.
///
/// The operating system drops a process's lock when *any* channel on the file is closed in that
/// process, so that what this process holds is remembered here and never opened a second time.
public final class FileHold implements AutoCloseable {

    private static final Map<Path, FileHold> HELD = new HashMap<>();

    private final Path file;
    private final FileChannel channel;

    private FileHold(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /// Holds the file, which is created where it is missing; empty if somebody else holds it.
    public static Optional<FileHold> tryHold(Path file) {
        Path key = key(file);
        synchronized (HELD) {
            if (HELD.containsKey(key)) {
                return Optional.empty();
            }
            Optional<FileChannel> channel =
                    lock(key, false, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
            channel.ifPresent(open -> HELD.put(key, new FileHold(key, open)));
            return channel.map(_ -> HELD.get(key));
        }
    }

    /// Whether some process holds the file now.
    public static boolean isHeld(Path file) {
        Path key = key(file);
        synchronized (HELD) {
            if (HELD.containsKey(key)) {
                return true;
            }
            if (!Files.exists(key)) {
                return false;
            }
            Optional<FileChannel> channel = lock(key, true, StandardOpenOption.READ);
            channel.ifPresent(FileHold::close);
            return channel.isEmpty();
        }
    }

    /// One name for each file, also where its folder is reached by a link.
    private static Path key(Path file) {
        Path whole = file.toAbsolutePath().normalize();
        try {
            return whole.getParent().toRealPath().resolve(whole.getFileName());
        } catch (IOException e) {
            return whole;
        }
    }

    private static Optional<FileChannel> lock(
            Path file, boolean shared, StandardOpenOption... options) {
        FileChannel channel = null;
        try {
            channel = FileChannel.open(file, options);
            if (channel.tryLock(0, Long.MAX_VALUE, shared) != null) {
                return Optional.of(channel);
            }
        } catch (OverlappingFileLockException e) {
            // Held by this process under another name of the same file.
        } catch (IOException e) {
            close(channel);
            throw DiskFailure.of(file, "be held", e);
        }
        close(channel);
        return Optional.empty();
    }

    private static void close(FileChannel channel) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            // The lock goes with the descriptor, whatever the close said.
        }
    }

    @Override
    public void close() {
        synchronized (HELD) {
            if (HELD.remove(file, this)) {
                close(channel);
            }
        }
    }

    /// Lets go of the file and deletes it.
    public void discard() {
        synchronized (HELD) {
            try {
                Files.deleteIfExists(file);
            } catch (IOException e) {
                // What is left is an empty file that nobody holds.
            }
            close();
        }
    }
}

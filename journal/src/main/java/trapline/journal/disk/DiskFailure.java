package trapline.journal.disk;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Locale;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;

/// What the operating system refused, in a sentence.
public final class DiskFailure {

    private DiskFailure() {}

    /// @param action what could not be done, after "cannot"
    public static JournalException of(Path place, String action, IOException cause) {
        return new JournalException(
                Kind.STORAGE,
                place.toString(),
                "cannot %s: %s".formatted(action, reason(cause)),
                cause);
    }

    /// Whether somewhere in this chain of causes the disk is full.
    public static boolean isDiskFull(Throwable failure) {
        for (Throwable t = failure; t != null; t = t.getCause()) {
            String text = String.valueOf(t.getMessage()).toLowerCase(Locale.ROOT);
            if (text.contains("no space left") || text.contains("disk quota exceeded")) {
                return true;
            }
        }
        return false;
    }

    private static String text(IOException cause) {
        return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    }

    /// Why, in words.
    public static String reason(IOException cause) {
        return switch (cause) {
            case AccessDeniedException _ -> "permission denied";
            case NoSuchFileException _ -> "it does not exist";
            case NotDirectoryException _ -> "it is not a directory";
            case FileAlreadyExistsException _ -> "it exists already";
            case ClosedByInterruptException _ -> "interrupted";
            case FileSystemException e when e.getReason() != null -> e.getReason();
            default -> isDiskFull(cause) ? "no space left on the disk" : text(cause);
        };
    }
}

package trapline.journal.broker;

import java.io.IOException;
import java.net.BindException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import kafka.server.FaultHandlerFactory;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.server.fault.FaultHandler;
import org.apache.kafka.server.fault.FaultHandlerException;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.journal.disk.DiskFailure;

/// What Kafka would halt the process for, kept as the reason why one broker is of no use any more.
///
/// Kafka ends the process through procedures that are the same for all brokers in it; whose fault
/// it was is told by the thread group that each broker's threads belong to.
final class BrokerFault implements FaultHandlerFactory {

    /// Less than this on a disk, and nothing else need be suspected.
    private static final long FULL_BYTES = 4 << 20;

    private static final Map<ThreadGroup, BrokerFault> BROKERS = new ConcurrentHashMap<>();

    static {
        Exit.setExitProcedure((_, message) -> stopThread(message));
        Exit.setHaltProcedure((_, message) -> stopThread(message));
    }

    private final Path folder;
    private final CompletableFuture<JournalException> raised = new CompletableFuture<>();

    BrokerFault(Path folder, ThreadGroup threads) {
        this.folder = folder;
        BROKERS.put(threads, this);
    }

    /// Completed when the broker is of no use any more.
    CompletableFuture<JournalException> raised() {
        return raised;
    }

    /// The reason, or null while there is none.
    JournalException reason() {
        return raised.getNow(null);
    }

    void forget(ThreadGroup threads) {
        BROKERS.remove(threads);
    }

    @Override
    public FaultHandler build(String name, boolean fatal, Runnable action) {
        return (message, cause) -> {
            if (fatal) {
                raised.complete(explain(message, cause));
            }
            action.run();
            return new FaultHandlerException(message, cause);
        };
    }

    /// What a failure of Kafka's own means for the user of this folder.
    JournalException explain(String message, Throwable cause) {
        if (DiskFailure.isDiskFull(cause) || isDiskFull()) {
            return failure(Kind.STORAGE, "no space left on the disk", cause);
        }
        for (Throwable t = cause; t != null; t = t.getCause()) {
            if (t instanceof UnsupportedVersionException) {
                return failure(Kind.NEWER, "a newer Kafka wrote this log: " + t.getMessage(), t);
            }
            if (t instanceof BindException) {
                return failure(Kind.BUSY, "its port was taken while it started; try again", t);
            }
            if (t instanceof IOException io) {
                return failure(
                        Kind.STORAGE, "the disk failed the broker: " + DiskFailure.reason(io), t);
            }
        }
        String detail = cause == null || cause.getMessage() == null ? message : cause.getMessage();
        return failure(
                Kind.DAMAGED,
                "the broker cannot go on with this log: "
                        + String.valueOf(detail).lines().findFirst().orElse(""),
                cause);
    }

    private JournalException failure(Kind kind, String message, Throwable cause) {
        return new JournalException(kind, folder.toString(), message, cause);
    }

    private boolean isDiskFull() {
        try {
            return Files.getFileStore(folder).getUsableSpace() < FULL_BYTES;
        } catch (IOException e) {
            return false;
        }
    }

    /// Ends the calling thread in place of the process.
    private static void stopThread(String message) {
        BrokerFault fault = BROKERS.get(Thread.currentThread().getThreadGroup());
        String why = message == null ? "its data folder has failed" : message;
        if (fault != null) {
            fault.raised.complete(fault.explain(why, null));
        }
        Thread.currentThread().setUncaughtExceptionHandler((_, _) -> {});
        throw new IllegalStateException(why);
    }
}

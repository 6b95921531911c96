package trapline.journal.broker;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.journal.disk.DiskFailure;
import trapline.journal.disk.FileHold;

/// The broker of a folder, whichever process runs it.
///
/// The first process to come holds the folder and runs the broker; the others are its clients. When
/// the holder goes, one of the others takes the folder over and runs the broker at the same
/// address, so that recording and reading go on there.
public final class FolderBroker implements AutoCloseable {

    private static final Duration JOIN_LIMIT = Duration.ofMinutes(2);
    private static final long RESERVE = 64 << 20;
    private static final int POLL_MILLIS = 50;
    private static final int WATCH_MILLIS = 200;

    private final BrokerFolder folder;
    private volatile EmbeddedBroker own;
    private volatile String address;
    private volatile JournalException takeoverFailure;
    private volatile boolean closed;
    private Thread watcher;

    private FolderBroker(BrokerFolder folder) {
        this.folder = folder;
    }

    /// Runs the folder's broker or joins the one that runs.
    ///
    /// @param create whether a folder without a log becomes one
    public static FolderBroker open(Path path, boolean create) {
        FolderBroker broker = new FolderBroker(new BrokerFolder(path));
        if (!broker.folder.isLog() && !create) {
            throw new JournalException(
                    Kind.NO_LOG, path.toString(), "no log is here yet: nothing was recorded");
        }
        broker.folder.create();
        try {
            broker.holdOrJoin();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new JournalException(
                    Kind.UNREACHABLE, path.toString(), "interrupted while joining its broker", e);
        }
        return broker;
    }

    /// Where Kafka clients reach the broker.
    public String address() {
        return address;
    }

    public Path path() {
        return folder.path();
    }

    /// Whether this process runs the broker.
    public boolean isHolder() {
        return own != null;
    }

    /// Why the broker is of no use any more, or empty.
    public Optional<JournalException> fault() {
        EmbeddedBroker holder = own;
        JournalException failure =
                holder == null ? takeoverFailure : holder.fault().getNow(takeoverFailure);
        return Optional.ofNullable(failure);
    }

    /// A broker whose disk is full cannot even be asked for what it has, so that recording stops
    /// while there is still some room.
    ///
    /// @throws JournalException if less than that is left
    public void checkRoom() {
        try {
            long free = Files.getFileStore(path()).getUsableSpace();
            if (free < RESERVE) {
                throw new JournalException(
                        Kind.STORAGE,
                        path().toString(),
                        "the disk is full: expected at least %d MiB of free space, found %d"
                                .formatted(RESERVE >> 20, free >> 20));
            }
        } catch (IOException e) {
            throw DiskFailure.of(path(), "be asked for its free space", e);
        }
    }

    /// A topic that the broker does not know, but whose files are here, was lost with the broker's
    /// own metadata, and must not be begun anew.
    ///
    /// @throws JournalException if there is one
    public void checkNeverHeld(List<String> topics) {
        for (String topic : topics) {
            if (folder.holds(topic)) {
                throw new JournalException(
                        Kind.DAMAGED,
                        path().toString(),
                        "the broker's metadata is damaged: topic %s is unknown, its files are here"
                                .formatted(topic));
            }
        }
    }

    /// Marks a session as being recorded by this process, until that is closed or the process ends.
    public FileHold startRecording(String session) {
        return FileHold.tryHold(folder.recording(session))
                .orElseThrow(() ->
                        new JournalException(
                                Kind.BUSY,
                                path().toString(),
                                "session " + session + " is being recorded already"));
    }

    /// Whether some process records this session now.
    public boolean isRecording(String session) {
        return FileHold.isHeld(folder.recording(session));
    }

    private void holdOrJoin() throws InterruptedException {
        long deadline = System.nanoTime() + JOIN_LIMIT.toNanos();
        while (address == null) {
            Optional<FileHold> lock = folder.tryHold();
            if (lock.isPresent()) {
                own = EmbeddedBroker.start(folder, lock.get());
                address = own.address();
                return;
            }
            join(folder.address());
            if (address == null && System.nanoTime() > deadline) {
                throw busy();
            }
            if (address == null) {
                Thread.sleep(POLL_MILLIS);
            }
        }
        watch();
    }

    /// Takes that address for the broker's. Who holds the folder has written it, unless that
    /// process has only just come; then nobody listens there any more.
    private void join(Optional<BrokerAddress> candidate) {
        candidate
                .filter(BrokerAddress::running)
                .filter(FolderBroker::listens)
                .ifPresent(found -> address = found.hostAndPort());
    }

    private static boolean listens(BrokerAddress candidate) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(candidate.host(), candidate.port()), 1000);
            return true;
        } catch (IOException | IllegalArgumentException e) {
            return false;
        }
    }

    private JournalException busy() {
        String holder =
                folder.address().map(a -> " (last known: process " + a.process() + ")").orElse("");
        return new JournalException(
                Kind.BUSY,
                path().toString(),
                "another process holds this log%s, and its broker does not answer"
                        .formatted(holder));
    }

    private void watch() {
        watcher = new Thread(this::takeOverWhenFree, "trapline-folder-watch");
        watcher.setDaemon(true);
        watcher.start();
    }

    private void takeOverWhenFree() {
        try {
            while (!closed) {
                Thread.sleep(WATCH_MILLIS);
                Optional<FileHold> lock = folder.tryHold();
                if (lock.isPresent()) {
                    takeOver(lock.get());
                    return;
                }
            }
        } catch (InterruptedException e) {
            // Closed.
        } catch (JournalException e) {
            takeoverFailure = e;
        }
    }

    private synchronized void takeOver(FileHold lock) {
        if (closed) {
            lock.close();
            return;
        }
        own = EmbeddedBroker.start(folder, lock);
        address = own.address();
    }

    @Override
    public void close() {
        closed = true;
        if (watcher != null) {
            watcher.interrupt();
        }
        synchronized (this) {
            if (own != null) {
                own.close();
            }
        }
    }
}

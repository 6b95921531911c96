package trapline.journal.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import trapline.journal.ExitTail;
import trapline.journal.Journal;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.journal.SessionReader;
import trapline.journal.SessionWriter;
import trapline.journal.disk.DiskFailure;
import trapline.journal.disk.FileHold;
import trapline.journal.session.SessionNames;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.Digest;
import trapline.schemas.Framing;
import trapline.schemas.SessionHeader;

/// A folder of container files, or one such file by itself, which can only be read.
public final class FileJournal implements Journal {

    private static final String SUFFIX = ".avro";

    private final Path path;
    private final boolean readOnly;
    private final Set<SessionWriter> writers = ConcurrentHashMap.newKeySet();
    private volatile Map<Path, JournalException> damaged = Map.of();

    private FileJournal(Path path, boolean readOnly) {
        this.path = path;
        this.readOnly = readOnly;
    }

    /// Opens a folder, which need not be there yet, or a file, which must.
    public static FileJournal open(Path path, boolean readOnly) {
        boolean file = Files.isRegularFile(path) || path.toString().endsWith(SUFFIX);
        if ((readOnly || file) && !Files.exists(path)) {
            throw new JournalException(Kind.NO_LOG, path.toString(), "no such file or folder");
        }
        return new FileJournal(path, readOnly || Files.isRegularFile(path));
    }

    @Override
    public Framing framing() {
        return Framing.SINGLE_OBJECT;
    }

    @Override
    public SessionWriter create(SessionHeader header, Map<Digest, byte[]> blobs) {
        if (readOnly) {
            throw new JournalException(
                    Kind.CONFIGURATION, location(), "expected a folder to record into");
        }
        SessionNames.check(header.session());
        makeFolder();
        Path file = path.resolve(header.session() + SUFFIX);
        FileHold hold =
                FileHold.tryHold(lock(file)).orElseThrow(() -> exists(header.session(), Kind.BUSY));
        if (Files.exists(file)) {
            hold.discard();
            throw exists(header.session(), Kind.CONFIGURATION);
        }
        ContainerWriter writer = ContainerWriter.create(file, hold, header, blobs, writers::remove);
        writers.add(writer);
        return writer;
    }

    private void makeFolder() {
        try {
            Files.createDirectories(path);
        } catch (IOException e) {
            throw DiskFailure.of(path, "be created", e);
        }
    }

    private JournalException exists(String session, Kind kind) {
        return new JournalException(kind, location(), "session " + session + " is here already");
    }

    @Override
    public List<CatalogueEntry> sessions() {
        return list().values().stream().map(Found::entry).sorted(SessionNames.BY_AGE).toList();
    }

    @Override
    public List<JournalException> damaged() {
        return List.copyOf(damaged.values());
    }

    @Override
    public SessionReader open(String name) {
        if (SessionNames.isWhole(name)) {
            Path likely = path.resolve(name + SUFFIX);
            if (Files.exists(likely)) {
                return reader(likely);
            }
        }
        Map<String, Found> found = list();
        if (found.isEmpty() && damaged.size() == 1) {
            throw damaged.values().iterator().next();
        }
        List<CatalogueEntry> entries =
                found.values().stream().map(Found::entry).sorted(SessionNames.BY_AGE).toList();
        CatalogueEntry entry = SessionNames.find(entries, name, location());
        return reader(found.get(entry.header().session()).file());
    }

    /// A file may have any name; which session it holds, it says itself.
    private record Found(CatalogueEntry entry, Path file) {}

    private Map<String, Found> list() {
        Map<Path, JournalException> failures = new TreeMap<>();
        Map<String, Found> sessions = new TreeMap<>();
        for (Path file : files()) {
            try (ContainerReader reader = reader(file)) {
                CatalogueEntry entry = reader.entry();
                String session = entry.header().session();
                Found other = sessions.putIfAbsent(session, new Found(entry, file));
                if (other != null) {
                    failures.put(file, twice(session, file, other.file()));
                }
            } catch (JournalException e) {
                failures.put(file, e);
            }
        }
        damaged = failures;
        return sessions;
    }

    private static JournalException twice(String session, Path file, Path other) {
        return new JournalException(
                Kind.AMBIGUOUS,
                file.toString(),
                "holds session %s, as does %s".formatted(session, other.getFileName()));
    }

    @Override
    public ExitTail exits(Instant since) {
        return ExitTail.NONE;
    }

    @Override
    public ExitTail exits(SessionHeader session) {
        return ExitTail.NONE;
    }

    @Override
    public String location() {
        return "file:" + path;
    }

    private List<Path> files() {
        if (!Files.isDirectory(path)) {
            return Files.exists(path) ? List.of(path) : List.of();
        }
        try (Stream<Path> files = Files.list(path)) {
            return files.filter(FileJournal::isSession).sorted().toList();
        } catch (IOException e) {
            throw DiskFailure.of(path, "be listed", e);
        }
    }

    private static boolean isSession(Path file) {
        String name = file.getFileName().toString();
        return name.endsWith(SUFFIX) && !name.startsWith(".");
    }

    private static ContainerReader reader(Path file) {
        return new ContainerReader(file, () -> FileHold.isHeld(lock(file)));
    }

    /// Held by the process that writes the file.
    private static Path lock(Path file) {
        return file.resolveSibling("." + file.getFileName() + ".lock");
    }

    @Override
    public void close() {
        List.copyOf(writers).forEach(SessionWriter::close);
    }
}

package trapline.journal.broker;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.journal.disk.DiskFailure;
import trapline.journal.disk.FileHold;
import trapline.journal.disk.WholeFile;

/// The folder of an embedded broker.
///
/// ```
/// log.properties   what this folder is, and its format
/// lock             held by the process that runs the broker
/// address          where that broker answers, or last did
/// recording/S      held by the process that records session S
/// data/            Kafka's own
/// ```
final class BrokerFolder {

    /// Raised whenever an older program could not open what a newer one wrote.
    static final int FORMAT = 1;

    /// What there may be when the first start was broken off.
    private static final Set<String> BEFORE_MARKED =
            Set.of("lock", "data", "recording", "log.properties.new");

    private final Path path;

    BrokerFolder(Path path) {
        this.path = path.toAbsolutePath().normalize();
    }

    Path path() {
        return path;
    }

    Path data() {
        return path.resolve("data");
    }

    Path recording(String session) {
        return path.resolve("recording").resolve(session);
    }

    /// Whether a broker has ever run here.
    ///
    /// @throws JournalException if something else is here
    boolean isLog() {
        Optional<Properties> marker = read("log.properties");
        if (marker.isPresent()) {
            checkFormat(marker.get());
            return true;
        }
        checkEmpty();
        return false;
    }

    /// Makes the folder, where it is missing.
    void create() {
        try {
            Files.createDirectories(path.resolve("recording"));
        } catch (IOException e) {
            throw DiskFailure.of(path, "be created", e);
        }
        if (!Files.isWritable(path)) {
            throw new JournalException(
                    Kind.STORAGE, path.toString(), "cannot be written: permission denied");
        }
    }

    /// Removes what killed recorders left; a file that is new may be somebody's about to be held.
    void tidy() {
        FileTime old = FileTime.from(Instant.now().minus(Duration.ofMinutes(1)));
        try (Stream<Path> files = Files.list(path.resolve("recording"))) {
            for (Path file : files.toList()) {
                if (Files.getLastModifiedTime(file).compareTo(old) < 0 && !FileHold.isHeld(file)) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (NoSuchFileException e) {
            // Its recorder is just done.
        } catch (IOException e) {
            throw DiskFailure.of(path, "be tidied", e);
        }
    }

    Optional<FileHold> tryHold() {
        return FileHold.tryHold(path.resolve("lock"));
    }

    /// To be called once Kafka's own folder is whole, and with the lock.
    void mark() {
        WholeFile.write(
                path.resolve("log.properties"),
                "# A Trapline log: sessions in an embedded Kafka broker.\nformat=%d\n"
                        .formatted(FORMAT));
    }

    /// The identity of the cluster; empty before the first start.
    Optional<String> cluster() {
        return read("data/meta.properties").map(properties -> properties.getProperty("cluster.id"));
    }

    /// Whether Kafka keeps files of a topic, under whatever name, that it is not about to delete.
    boolean holds(String topic) {
        try (Stream<Path> files = Files.list(data())) {
            return files.map(file -> file.getFileName().toString())
                    .anyMatch(name -> name.matches(Pattern.quote(topic) + "-[0-9].*(?<!-delete)"));
        } catch (IOException e) {
            throw DiskFailure.of(data(), "be listed", e);
        }
    }

    void publish(BrokerAddress address) {
        WholeFile.write(path.resolve("address"), address.text());
    }

    Optional<BrokerAddress> address() {
        return read("address").flatMap(BrokerAddress::parse);
    }

    private Optional<Properties> read(String file) {
        try {
            Properties properties = new Properties();
            properties.load(new StringReader(Files.readString(path.resolve(file))));
            return Optional.of(properties);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException | IllegalArgumentException e) {
            throw new JournalException(
                    Kind.STORAGE,
                    path.resolve(file).toString(),
                    "cannot be read: "
                            + (e instanceof IOException io
                                    ? DiskFailure.reason(io)
                                    : e.getMessage()),
                    e);
        }
    }

    private void checkFormat(Properties marker) {
        String format = marker.getProperty("format", "");
        if (!format.matches("[0-9]{1,9}")) {
            throw new JournalException(
                    Kind.DAMAGED,
                    path.resolve("log.properties").toString(),
                    "expected format=%d, found format=%s".formatted(FORMAT, format));
        }
        if (Integer.parseInt(format) > FORMAT) {
            throw new JournalException(
                    Kind.NEWER,
                    path.toString(),
                    "a newer Trapline wrote this log: its format is %s, this program knows %d"
                            .formatted(format, FORMAT));
        }
    }

    private void checkEmpty() {
        if (!Files.exists(path)) {
            return;
        }
        if (!Files.isDirectory(path)) {
            throw new JournalException(
                    Kind.CONFIGURATION, path.toString(), "expected a folder, found a file");
        }
        try (Stream<Path> files = Files.list(path)) {
            List<String> names = files.map(file -> file.getFileName().toString()).toList();
            String others =
                    names.stream()
                            .filter(name -> !BEFORE_MARKED.contains(name))
                            .sorted()
                            .limit(3)
                            .collect(Collectors.joining(", "));
            if (!others.isEmpty()) {
                throw new JournalException(
                        Kind.CONFIGURATION,
                        path.toString(),
                        "expected a Trapline log or an empty folder, found %s".formatted(others));
            }
        } catch (IOException e) {
            throw DiskFailure.of(path, "be listed", e);
        }
    }
}

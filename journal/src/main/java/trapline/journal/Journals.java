package trapline.journal;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import trapline.journal.JournalException.Kind;
import trapline.journal.broker.FolderBroker;
import trapline.journal.file.FileJournal;
import trapline.journal.kafka.Cluster;
import trapline.journal.kafka.EmbeddedCluster;
import trapline.journal.kafka.KafkaJournal;
import trapline.journal.kafka.KafkaSettings;
import trapline.journal.kafka.RemoteCluster;

/// Opens logs by the names that users give them.
///
/// | name | is |
/// |---|---|
/// | `embedded:DIR` | a broker in this process, or the one that another runs on that folder |
/// | `kafka:HOST:PORT[,…]` | brokers somewhere else |
/// | `file:DIR`, `file:X.avro` | a folder of container files, or one of them |
public final class Journals {

    private static final List<String> SCHEMES = List.of("embedded", "kafka", "file");

    private Journals() {}

    /// Opens a log to record into and to read; what is missing of it is made.
    ///
    /// @param kafkaConfig Kafka client properties, see [KafkaSettings]
    public static Journal open(String name, Optional<Path> kafkaConfig) {
        return open(name, kafkaConfig, Access.CREATE);
    }

    /// Opens a log to record into, which must be there already.
    public static Journal openExisting(String name, Optional<Path> kafkaConfig) {
        return open(name, kafkaConfig, Access.EXTEND);
    }

    /// Opens a log that must be there already.
    public static Journal openReadOnly(String name, Optional<Path> kafkaConfig) {
        return open(name, kafkaConfig, Access.READ);
    }

    private enum Access {
        READ,
        EXTEND,
        CREATE
    }

    /// Runs the broker of a folder, or joins the process that does, until it is closed.
    public static FolderBroker broker(Path folder) {
        return FolderBroker.open(folder, true);
    }

    /// Makes sure that a name is one of a log, whether or not that is there.
    ///
    /// @throws JournalException if not
    public static void check(String name) {
        int colon = name.indexOf(':');
        String scheme = colon < 0 ? "" : name.substring(0, colon);
        String rest = name.substring(colon + 1);
        if (!SCHEMES.contains(scheme)) {
            throw unknown(name, scheme);
        }
        if (rest.isBlank()) {
            throw wrong(name, "expected %s after the colon".formatted(expected(scheme)));
        }
        if (scheme.equals("kafka")) {
            addresses(name, rest);
        }
    }

    private static Journal open(String name, Optional<Path> kafkaConfig, Access access) {
        check(name);
        int colon = name.indexOf(':');
        String rest = name.substring(colon + 1);
        return switch (name.substring(0, colon)) {
            case "embedded" -> kafka(embedded(name, rest, access), kafkaConfig, access);
            case "kafka" -> kafka(new RemoteCluster(addresses(name, rest)), kafkaConfig, access);
            default -> file(name, rest, kafkaConfig, access);
        };
    }

    private static Journal kafka(Cluster cluster, Optional<Path> kafkaConfig, Access access) {
        KafkaSettings settings;
        try {
            settings = kafkaConfig.map(KafkaSettings::read).orElse(KafkaSettings.DEFAULT);
        } catch (JournalException e) {
            cluster.close();
            throw e;
        }
        return KafkaJournal.open(cluster, settings, access == Access.READ);
    }

    private static Cluster embedded(String name, String folder, Access access) {
        boolean create = access == Access.CREATE;
        return new EmbeddedCluster(FolderBroker.open(path(name, folder), create));
    }

    private static Journal file(
            String name, String path, Optional<Path> kafkaConfig, Access access) {
        if (kafkaConfig.isPresent()) {
            throw wrong(name, "a file takes no Kafka settings");
        }
        Path file = path(name, path);
        if (access != Access.CREATE && !Files.exists(file)) {
            throw new JournalException(Kind.NO_LOG, path, "no such file or folder");
        }
        return FileJournal.open(file, access == Access.READ);
    }

    private static Path path(String name, String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw wrong(name, "not a path: " + e.getReason());
        }
    }

    private static String addresses(String name, String text) {
        for (String address : text.split(",", -1)) {
            if (!address.strip().matches("(\\[[0-9a-fA-F:.]+\\]|[^:\\s]+):[0-9]{1,5}")) {
                throw wrong(name, "expected HOST:PORT[,HOST:PORT…], found '" + address + "'");
            }
        }
        return text.replace(" ", "");
    }

    private static String expected(String scheme) {
        return switch (scheme) {
            case "embedded" -> "a folder";
            case "kafka" -> "HOST:PORT[,HOST:PORT…]";
            default -> "a folder or an .avro file";
        };
    }

    private static JournalException unknown(String name, String scheme) {
        String hint = Suggestion.hint(scheme, SCHEMES);
        if (hint.isEmpty() && name.matches("[^/:]+:[0-9]+(,.*)?")) {
            hint = "; did you mean kafka:" + name + "?";
        } else if (hint.isEmpty() && name.endsWith(".avro")) {
            hint = "; did you mean file:" + name + "?";
        } else if (hint.isEmpty() && scheme.isEmpty()) {
            hint = "; did you mean embedded:" + name + "?";
        }
        return wrong(name, "expected embedded:DIR, kafka:HOST:PORT[,…] or file:DIR" + hint);
    }

    private static JournalException wrong(String name, String message) {
        return new JournalException(Kind.CONFIGURATION, name, message);
    }
}

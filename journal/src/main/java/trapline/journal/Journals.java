package trapline.journal;

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
        return open(name, kafkaConfig, false);
    }

    /// Opens a log that must be there already.
    public static Journal openReadOnly(String name, Optional<Path> kafkaConfig) {
        return open(name, kafkaConfig, true);
    }

    /// Runs the broker of a folder, or joins the process that does, until it is closed.
    public static FolderBroker broker(Path folder) {
        return FolderBroker.open(folder, true);
    }

    private static Journal open(String name, Optional<Path> kafkaConfig, boolean readOnly) {
        int colon = name.indexOf(':');
        String scheme = colon < 0 ? "" : name.substring(0, colon);
        String rest = name.substring(colon + 1);
        if (!SCHEMES.contains(scheme)) {
            throw unknown(name, scheme);
        }
        if (rest.isBlank()) {
            throw wrong(name, "expected %s after the colon".formatted(expected(scheme)));
        }
        return switch (scheme) {
            case "embedded" -> kafka(embedded(name, rest, readOnly), kafkaConfig, readOnly);
            case "kafka" -> kafka(new RemoteCluster(addresses(name, rest)), kafkaConfig, readOnly);
            default -> file(name, rest, kafkaConfig, readOnly);
        };
    }

    private static Journal kafka(Cluster cluster, Optional<Path> kafkaConfig, boolean readOnly) {
        KafkaSettings settings;
        try {
            settings = kafkaConfig.map(KafkaSettings::read).orElse(KafkaSettings.DEFAULT);
        } catch (JournalException e) {
            cluster.close();
            throw e;
        }
        return KafkaJournal.open(cluster, settings, readOnly);
    }

    private static Cluster embedded(String name, String folder, boolean readOnly) {
        return new EmbeddedCluster(FolderBroker.open(path(name, folder), !readOnly));
    }

    private static Journal file(
            String name, String path, Optional<Path> kafkaConfig, boolean readOnly) {
        if (kafkaConfig.isPresent()) {
            throw wrong(name, "a file takes no Kafka settings");
        }
        return FileJournal.open(path(name, path), readOnly);
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

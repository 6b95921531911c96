package trapline.journal.kafka;

import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.Admin;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.Codec;
import trapline.schemas.Frame;
import trapline.schemas.Framing;
import trapline.schemas.Topics;

/// One log in Kafka: its brokers, its topics, and what of them everybody needs.
final class KafkaLog implements AutoCloseable {

    private final Cluster cluster;
    private final KafkaSettings settings;
    private final Topics topics;
    private final Clients clients;
    private final NoteReader notes;
    private final NoteWriter noteWriter;
    private final Optional<SchemaRegistry> registry;
    private final PublishedSchemas schemas;
    private Map<String, Integer> partitions = Map.of();
    private Framing framing = Framing.SINGLE_OBJECT;
    private Catalogue catalogue;
    private Blobs blobs;

    KafkaLog(Cluster cluster, KafkaSettings settings) {
        this.cluster = cluster;
        this.settings = settings;
        topics = settings.topics();
        clients = new Clients(cluster, settings.client());
        notes = new NoteReader(clients, cluster);
        noteWriter = new NoteWriter(clients, cluster);
        registry = settings.registry().map(SchemaRegistry::new);
        schemas = new PublishedSchemas(topics.schemas(), notes, registry);
    }

    /// To be called first, and once.
    ///
    /// @param create whether topics that are missing are made, and what readers need to understand
    ///     them without this program is published there
    void open(boolean create) {
        partitions = prepare(new TopicLayout(cluster, settings), create);
        if (create) {
            framing = registry.map(known -> known.register(topics)).orElse(framing);
            schemas.publish(noteWriter);
        }
        catalogue = new Catalogue(topics.sessions(), notes, framing, schemas);
        blobs = new Blobs(topics.blobs(), notes, framing, schemas);
    }

    private Map<String, Integer> prepare(TopicLayout layout, boolean create) {
        if (!create) {
            layout.check(notes.topics());
            return Map.of();
        }
        Admin admin = clients.admin();
        try {
            return layout.prepare(admin);
        } finally {
            admin.close(Clients.LEAVE);
        }
    }

    /// What the catalogue says of a session now.
    CatalogueEntry current(String session) {
        return catalogue
                .entry(session)
                .map(this::asFound)
                .orElseThrow(() ->
                        new JournalException(
                                Kind.NO_SESSION,
                                cluster.location(),
                                "session " + session + " is gone"));
    }

    /// An open session whose recorder has gone is torn, whatever its last entry says.
    CatalogueEntry asFound(CatalogueEntry entry) {
        boolean gone = entry.status() == Status.OPEN && cluster.isAbandoned(entry);
        return gone
                ? new CatalogueEntry(
                        entry.header(),
                        Status.TORN,
                        entry.heartbeatMillis(),
                        entry.partition(),
                        entry.firstOffset(),
                        entry.acknowledged(),
                        entry.pages(),
                        entry.closing())
                : entry;
    }

    Recording recording(String session) {
        return new Recording(session, cluster, topics, partitions, noteWriter, framing, schemas);
    }

    <T> Frame<T> frame(Codec<T> codec) {
        return new Frame<>(codec, framing, schemas);
    }

    KafkaSite site() {
        return new KafkaSite(this, settings);
    }

    Cluster cluster() {
        return cluster;
    }

    Topics topics() {
        return topics;
    }

    Clients clients() {
        return clients;
    }

    Framing framing() {
        return framing;
    }

    NoteReader notes() {
        return notes;
    }

    NoteWriter noteWriter() {
        return noteWriter;
    }

    PublishedSchemas schemas() {
        return schemas;
    }

    Catalogue catalogue() {
        return catalogue;
    }

    Blobs blobs() {
        return blobs;
    }

    @Override
    public void close() {
        noteWriter.close();
        notes.close();
        cluster.close();
    }
}

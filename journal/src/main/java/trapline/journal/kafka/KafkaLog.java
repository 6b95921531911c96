package trapline.journal.kafka;

import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import trapline.schemas.Codec;
import trapline.schemas.Frame;
import trapline.schemas.Framing;
import trapline.schemas.Topics;

/// One log in Kafka: its brokers, its topics, and what of them everybody needs.
final class KafkaLog implements AutoCloseable {

    private final Cluster cluster;
    private final Topics topics;
    private final Clients clients;
    private final Map<String, Integer> partitions;
    private final Framing framing;
    private final NoteReader notes;
    private final NoteWriter noteWriter;
    private final PublishedSchemas schemas;
    private final Catalogue catalogue;
    private final Blobs blobs;

    /// @param create whether topics that are missing are made, and schemas published
    KafkaLog(Cluster cluster, KafkaSettings settings, boolean create) {
        this.cluster = cluster;
        topics = settings.topics();
        clients = new Clients(cluster, settings.client());
        partitions = prepare(settings, create);
        Optional<SchemaRegistry> registry = settings.registry().map(SchemaRegistry::new);
        framing =
                registry.filter(_ -> create)
                        .map(known -> known.register(topics))
                        .orElse(Framing.SINGLE_OBJECT);
        notes = new NoteReader(clients, cluster);
        noteWriter = new NoteWriter(clients, cluster);
        schemas = new PublishedSchemas(topics.schemas(), notes, registry);
        catalogue = new Catalogue(topics.sessions(), notes, framing, schemas);
        blobs = new Blobs(topics.blobs(), notes, framing, schemas);
    }

    private Map<String, Integer> prepare(KafkaSettings settings, boolean create) {
        Admin admin = clients.admin();
        try {
            return new TopicLayout(cluster, settings).prepare(admin, create);
        } catch (KafkaException e) {
            throw KafkaFailure.of(e, cluster.location(), "use its topics");
        } finally {
            admin.close(Clients.LEAVE);
        }
    }

    /// Puts into the log what readers need to understand it without this program.
    void publish() {
        schemas.publish(noteWriter);
    }

    Recording recording(String session) {
        return new Recording(session, cluster, topics, partitions, noteWriter, framing, schemas);
    }

    <T> Frame<T> frame(Codec<T> codec) {
        return new Frame<>(codec, framing, schemas);
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

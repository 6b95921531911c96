package trapline.journal.kafka;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.SchemaParser;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import trapline.journal.JournalException;
import trapline.schemas.Framing;
import trapline.schemas.Schemas;

/// The schemas that a log carries for its own records, and those of a registry where there is one.
final class PublishedSchemas implements Framing.Writers {

    private final TopicPartition partition;
    private final NoteReader notes;
    private final Optional<SchemaRegistry> registry;
    private final Map<Long, Schema> ours = Schemas.published();
    private final Map<Long, Schema> published = new HashMap<>();
    private long next;

    PublishedSchemas(String topic, NoteReader notes, Optional<SchemaRegistry> registry) {
        partition = new TopicPartition(topic, 0);
        this.notes = notes;
        this.registry = registry;
    }

    /// Puts those of this version that are missing into the log.
    synchronized void publish(NoteWriter writer) {
        refresh();
        ours.forEach((fingerprint, schema) -> {
            if (!published.containsKey(fingerprint)) {
                writer.write(
                        partition,
                        HexFormat.of().toHexDigits(fingerprint),
                        schema.toString().getBytes(StandardCharsets.UTF_8));
            }
        });
    }

    @Override
    public synchronized Schema byFingerprint(long fingerprint) {
        Schema schema = ours.get(fingerprint);
        if (schema == null && !published.containsKey(fingerprint)) {
            refresh();
        }
        return schema == null ? published.get(fingerprint) : schema;
    }

    @Override
    public Schema byRegistryId(int id) {
        return registry.map(known -> known.schema(id)).orElse(null);
    }

    private void refresh() {
        next = notes.scan(partition.topic(), next, new Scan());
    }

    private final class Scan implements NoteReader.Visitor {

        @Override
        public void record(ConsumerRecord<java.nio.ByteBuffer, java.nio.ByteBuffer> found) {
            if (found.value() != null) {
                String text = StandardCharsets.UTF_8.decode(found.value()).toString();
                try {
                    Schema schema = new SchemaParser().parse(text).mainSchema();
                    published.put(Schemas.fingerprint(schema), schema);
                } catch (AvroRuntimeException e) {
                    // Somebody else's; a record that needs it will say that it is unknown.
                }
            }
        }

        @Override
        public void damage(JournalException found) {
            // A record that needs the damaged schema will say that it is unknown.
        }
    }
}

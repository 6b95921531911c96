package trapline.journal.kafka;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.journal.session.Pieces;
import trapline.schemas.Blob;
import trapline.schemas.BlobRef;
import trapline.schemas.Digest;
import trapline.schemas.Frame;
import trapline.schemas.Framing;
import trapline.schemas.WireException;

/// Contents by their hash, in pieces. Of the topic only the places are kept in memory.
final class Blobs {

    private final TopicPartition partition;
    private final NoteReader notes;
    private final Frame<Blob> frame;
    private final Map<String, Long> places = new HashMap<>();
    private final Scan scan = new Scan();
    private long next;

    Blobs(String topic, NoteReader notes, Framing framing, Framing.Writers writers) {
        partition = new TopicPartition(topic, 0);
        this.notes = notes;
        frame = new Frame<>(Blob.CODEC, framing, writers);
    }

    /// Puts a content into the log, unless it is there.
    synchronized void write(Digest sha256, byte[] content, NoteWriter writer) {
        refresh();
        for (Blob piece : Pieces.cut(sha256, content)) {
            String key = key(sha256, piece.index());
            if (!places.containsKey(key)) {
                writer.write(partition, key, frame.encode(piece));
            }
        }
    }

    /// A content, its hash checked.
    synchronized byte[] read(BlobRef ref) {
        return Pieces.join(ref, partition.topic(), index -> piece(ref.sha256(), index));
    }

    private Blob piece(Digest sha256, int index) {
        String key = key(sha256, index);
        for (int attempt = 0; attempt < 3; attempt++) {
            Long place = places.get(key);
            Optional<ConsumerRecord<ByteBuffer, ByteBuffer>> found =
                    place == null ? Optional.empty() : notes.fetch(partition, place);
            if (found.isPresent()) {
                return decode(found.get());
            }
            refresh();
        }
        throw new JournalException(
                Kind.DAMAGED,
                partition.topic(),
                "content %s: piece %d is missing".formatted(sha256, index));
    }

    private Blob decode(ConsumerRecord<ByteBuffer, ByteBuffer> found) {
        ByteBuffer value = found.value();
        try {
            return frame.decode(
                    value.array(), value.arrayOffset() + value.position(), value.remaining());
        } catch (WireException e) {
            throw KafkaFailure.of(e, partition + "@" + found.offset());
        }
    }

    private static String key(Digest sha256, int index) {
        return sha256 + "/" + index;
    }

    private void refresh() {
        next = notes.scan(partition.topic(), next, scan);
    }

    private final class Scan implements NoteReader.Visitor {

        @Override
        public void record(ConsumerRecord<ByteBuffer, ByteBuffer> found) {
            String key = StandardCharsets.UTF_8.decode(found.key().duplicate()).toString();
            if (found.value() == null) {
                places.remove(key);
            } else {
                places.put(key, found.offset());
            }
        }

        @Override
        public void damage(JournalException found) {
            // What was there is found missing by whoever asks for it.
        }
    }
}

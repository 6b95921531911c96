package trapline.journal.kafka;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.journal.session.SessionNames;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CheckpointPage;
import trapline.schemas.Frame;
import trapline.schemas.Framing;
import trapline.schemas.WireException;

/// Every session of the log: one pass over its compacted topic, and afterwards only what is new.
///
/// Of checkpoint pages only the place is kept.
final class Catalogue {

    /// A record that is being replaced may go while it is looked for.
    private static final int ATTEMPTS = 3;

    private final TopicPartition partition;
    private final NoteReader notes;
    private final Frame<CatalogueEntry> entryFrame;
    private final Frame<CheckpointPage> pageFrame;
    private final Map<String, CatalogueEntry> entries = new HashMap<>();
    private final Map<String, Long> places = new HashMap<>();
    private final Map<String, Long> pages = new HashMap<>();
    private final Map<String, JournalException> damaged = new HashMap<>();
    private final Scan scan = new Scan();
    private long next;

    Catalogue(String topic, NoteReader notes, Framing framing, Framing.Writers writers) {
        partition = new TopicPartition(topic, 0);
        this.notes = notes;
        entryFrame = new Frame<>(CatalogueEntry.CODEC, framing, writers);
        pageFrame = new Frame<>(CheckpointPage.CODEC, framing, writers);
    }

    /// The key of a session's page.
    static String pageKey(String session, int page) {
        return session + "/" + page;
    }

    /// Every session as it last was said to be, oldest first.
    synchronized List<CatalogueEntry> entries() {
        refresh();
        return entries.values().stream().sorted(SessionNames.BY_AGE).toList();
    }

    synchronized Optional<CatalogueEntry> entry(String session) {
        refresh();
        return Optional.ofNullable(entries.get(session));
    }

    /// Where a session's entry is.
    synchronized String place(String session) {
        return partition + "@" + places.get(session);
    }

    /// What of the catalogue cannot be read; a session's newest readable entry counts.
    synchronized List<JournalException> damaged() {
        return List.copyOf(damaged.values());
    }

    /// How many checkpoint pages a session has now.
    synchronized int pages(String session) {
        refresh();
        int count = 0;
        while (pages.containsKey(pageKey(session, count))) {
            count++;
        }
        return count;
    }

    /// Loads a page, whose newest version may have come while it was looked for.
    synchronized CheckpointPage page(String session, int page) {
        String key = pageKey(session, page);
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            Long place = pages.get(key);
            Optional<ConsumerRecord<ByteBuffer, ByteBuffer>> found =
                    place == null ? Optional.empty() : notes.fetch(partition, place);
            if (found.isPresent()) {
                return decode(pageFrame, found.get());
            }
            refresh();
        }
        throw new JournalException(
                Kind.DAMAGED,
                partition.toString(),
                "the list of checkpoints %s is missing".formatted(key));
    }

    private void refresh() {
        next = notes.scan(partition.topic(), next, scan);
    }

    private <T> T decode(Frame<T> frame, ConsumerRecord<ByteBuffer, ByteBuffer> found) {
        try {
            ByteBuffer value = found.value();
            return frame.decode(
                    value.array(), value.arrayOffset() + value.position(), value.remaining());
        } catch (WireException e) {
            throw KafkaFailure.of(e, partition + "@" + found.offset());
        }
    }

    private final class Scan implements NoteReader.Visitor {

        @Override
        public void record(ConsumerRecord<ByteBuffer, ByteBuffer> found) {
            String key = StandardCharsets.UTF_8.decode(found.key().duplicate()).toString();
            if (found.value() == null) {
                entries.remove(key);
                pages.remove(key);
            } else if (key.indexOf('/') >= 0) {
                pages.put(key, found.offset());
            } else {
                entry(key, found);
            }
        }

        private void entry(String key, ConsumerRecord<ByteBuffer, ByteBuffer> found) {
            try {
                entries.put(key, decode(entryFrame, found));
                places.put(key, found.offset());
                damaged.remove(key);
            } catch (JournalException e) {
                damaged.put(key, e);
            }
        }

        @Override
        public void damage(JournalException found) {
            damaged.put(found.place(), found);
        }
    }

    /// What is known of a session that cannot be listed, in a list of nothing but that.
    synchronized Optional<JournalException> damageOf(String session) {
        return Optional.ofNullable(entries.containsKey(session) ? null : damaged.get(session));
    }
}

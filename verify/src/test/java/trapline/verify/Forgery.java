package trapline.verify;

import java.lang.reflect.RecordComponent;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import trapline.engine.event.Envelope;
import trapline.journal.ExitTail;
import trapline.journal.Journal;
import trapline.journal.JournalException;
import trapline.journal.SessionReader;
import trapline.journal.SessionWriter;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.Checkpoint;
import trapline.schemas.ClosingRecord;
import trapline.schemas.Digest;
import trapline.schemas.EventDecoder;
import trapline.schemas.EventEncoder;
import trapline.schemas.ExitObserved;
import trapline.schemas.ExitStatistics;
import trapline.schemas.Framing;
import trapline.schemas.SessionHeader;

/// What a recorder says, changed on its way into a log that is itself in good order.
///
/// Each method gives back what is written instead; of nothing overridden the session is intact.
abstract class Forgery {

    SessionHeader header(SessionHeader header) {
        return header;
    }

    /// @param order of the event in this record
    List<byte[]> event(long order, byte[] bytes) {
        return List.of(bytes);
    }

    Checkpoint checkpoint(Checkpoint checkpoint) {
        return checkpoint;
    }

    ClosingRecord closing(ClosingRecord closing) {
        return closing;
    }

    /// A record like another but for one component.
    static <T extends Record> T with(T record, String name, UnaryOperator<Object> change) {
        RecordComponent[] components = record.getClass().getRecordComponents();
        Object[] values = new Object[components.length];
        Class<?>[] types = new Class<?>[components.length];
        try {
            for (int i = 0; i < values.length; i++) {
                Object old = components[i].getAccessor().invoke(record);
                values[i] = components[i].getName().equals(name) ? change.apply(old) : old;
                types[i] = components[i].getType();
            }
            @SuppressWarnings("unchecked")
            Class<T> type = (Class<T>) record.getClass();
            return type.getDeclaredConstructor(types).newInstance(values);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(name, e);
        }
    }

    /// A log to record into, whose sessions are forged.
    Journal on(Journal journal) {
        return new ForgedJournal(journal, this);
    }

    /// Changes events, with checksums of their own that fit: made by somebody who knows how.
    abstract static class WithChecksums extends Forgery {

        private final EventDecoder decoder = new EventDecoder(Framing.Writers.OURS);
        private final EventEncoder encoder = new EventEncoder(Framing.SINGLE_OBJECT);

        abstract Envelope event(Envelope envelope);

        @Override
        final List<byte[]> event(long order, byte[] bytes) {
            return List.of(encoder.encode(event(decoder.decode(bytes))));
        }

        @Override
        Checkpoint checkpoint(Checkpoint given) {
            return with(given, "chain", _ -> encoder.chain());
        }

        @Override
        ClosingRecord closing(ClosingRecord given) {
            return with(given, "chain", _ -> encoder.chain());
        }
    }

    private record ForgedJournal(Journal journal, Forgery forgery) implements Journal {

        @Override
        public SessionWriter create(SessionHeader header, Map<Digest, byte[]> blobs) {
            return new ForgedWriter(journal.create(forgery.header(header), blobs), forgery);
        }

        @Override
        public Framing framing() {
            return journal.framing();
        }

        @Override
        public List<CatalogueEntry> sessions() {
            return journal.sessions();
        }

        @Override
        public List<JournalException> damaged() {
            return journal.damaged();
        }

        @Override
        public SessionReader open(String name) {
            return journal.open(name);
        }

        @Override
        public ExitTail exits(Instant since) {
            return journal.exits(since);
        }

        @Override
        public ExitTail exits(SessionHeader session) {
            return journal.exits(session);
        }

        @Override
        public String location() {
            return journal.location();
        }

        @Override
        public void close() {
            journal.close();
        }
    }

    private static final class ForgedWriter implements SessionWriter {

        private final SessionWriter writer;
        private final Forgery forgery;
        private long order;

        ForgedWriter(SessionWriter writer, Forgery forgery) {
            this.writer = writer;
            this.forgery = forgery;
        }

        @Override
        public void append(byte[] event) {
            forgery.event(++order, event).forEach(writer::append);
        }

        @Override
        public long acknowledged() {
            return writer.acknowledged();
        }

        @Override
        public void checkpoint(Checkpoint checkpoint) {
            writer.checkpoint(forgery.checkpoint(checkpoint));
        }

        @Override
        public void exit(ExitObserved exit) {
            writer.exit(exit);
        }

        @Override
        public void statistics(ExitStatistics statistics) {
            writer.statistics(statistics);
        }

        @Override
        public void finish(ClosingRecord closing) {
            writer.finish(forgery.closing(closing));
        }

        @Override
        public String place() {
            return writer.place();
        }

        @Override
        public void close() {
            writer.close();
        }
    }
}

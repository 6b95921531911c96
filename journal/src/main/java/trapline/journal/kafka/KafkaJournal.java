package trapline.journal.kafka;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.TopicPartition;
import trapline.journal.ExitTail;
import trapline.journal.Journal;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.journal.SessionReader;
import trapline.journal.SessionWriter;
import trapline.journal.kafka.Cluster.Presence;
import trapline.journal.session.SessionNames;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.Digest;
import trapline.schemas.Framing;
import trapline.schemas.SessionHeader;

/// A log in Kafka, embedded or elsewhere.
///
/// A session is one ordered stretch of one partition of the topic of events, where others may lie
/// between; which partition, and from where on, its catalogue entry says.
public final class KafkaJournal implements Journal {

    private final KafkaLog log;
    private final boolean readOnly;
    private final Set<SessionWriter> writers = ConcurrentHashMap.newKeySet();

    private KafkaJournal(KafkaLog log, boolean readOnly) {
        this.log = log;
        this.readOnly = readOnly;
    }

    /// Opens the log on these brokers, which the journal closes with itself, and also if this
    /// fails.
    ///
    /// @param readOnly whether topics that are missing are an error, rather than made
    public static KafkaJournal open(Cluster cluster, KafkaSettings settings, boolean readOnly) {
        KafkaLog log = new KafkaLog(cluster, settings);
        try {
            log.open(!readOnly);
            return new KafkaJournal(log, readOnly);
        } catch (JournalException e) {
            log.close();
            throw e;
        }
    }

    /// Where this log is in Kafka, for programs that read and write its topics by themselves.
    public KafkaSite site() {
        return log.site();
    }

    @Override
    public Framing framing() {
        return log.framing();
    }

    @Override
    public SessionWriter create(SessionHeader header, Map<Digest, byte[]> blobs) {
        String session = header.session();
        if (readOnly) {
            throw new JournalException(
                    Kind.CONFIGURATION, location(), "this log was opened for reading only");
        }
        SessionNames.check(session);
        if (log.catalogue().entries().stream()
                .anyMatch(entry -> entry.header().session().equals(session))) {
            throw new JournalException(
                    Kind.CONFIGURATION, location(), "session " + session + " is here already");
        }
        log.cluster().checkRoom();
        Presence presence = log.cluster().startRecording(session);
        try {
            blobs.forEach((hash, content) -> log.blobs().write(hash, content, log.noteWriter()));
            return begin(header, presence);
        } catch (JournalException e) {
            presence.close();
            throw e;
        }
    }

    private SessionWriter begin(SessionHeader header, Presence presence) {
        Recording recording = log.recording(header.session());
        TopicPartition events = recording.events();
        CatalogueEntry entry =
                new CatalogueEntry(
                        header,
                        Status.OPEN,
                        System.currentTimeMillis(),
                        events.partition(),
                        log.notes().end(events),
                        0,
                        0,
                        Optional.empty());
        log.noteWriter()
                .write(
                        recording.catalogue(),
                        header.session(),
                        recording.frame(CatalogueEntry.CODEC).encode(entry));
        EventFeed feed = new EventFeed(recording, log.clients().events());
        KafkaWriter writer = new KafkaWriter(recording, entry, feed, presence, writers::remove);
        writers.add(writer);
        return writer;
    }

    @Override
    public List<CatalogueEntry> sessions() {
        return log.catalogue().entries().stream().map(log::asFound).toList();
    }

    @Override
    public List<JournalException> damaged() {
        return log.catalogue().damaged();
    }

    @Override
    public SessionReader open(String name) {
        List<CatalogueEntry> sessions = log.catalogue().entries();
        log.catalogue()
                .damageOf(name)
                .ifPresent(damage -> {
                    throw damage;
                });
        return new KafkaReader(log, log.asFound(SessionNames.find(sessions, name, location())));
    }

    @Override
    public ExitTail exits(Instant since) {
        return new KafkaExitTail(log, since, Optional.empty());
    }

    @Override
    public ExitTail exits(SessionHeader session) {
        Instant since = Instant.ofEpochMilli(session.createdMillis());
        return new KafkaExitTail(log, since, Optional.of(session.session()));
    }

    @Override
    public String location() {
        return log.cluster().location();
    }

    @Override
    public void close() {
        List.copyOf(writers).forEach(SessionWriter::close);
        log.close();
    }
}

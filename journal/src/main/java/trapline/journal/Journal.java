package trapline.journal;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.Digest;
import trapline.schemas.Framing;
import trapline.schemas.SessionHeader;

/// A log of sessions: in Kafka (embedded or elsewhere) or in a folder of container files.
///
/// Every method throws [JournalException] where the world is wrong.
public interface Journal extends AutoCloseable {

    /// Begins a session; `blobs` holds every content that the header refers to.
    SessionWriter create(SessionHeader header, Map<Digest, byte[]> blobs);

    /// How records of events are framed in this log.
    Framing framing();

    /// Every session there is, oldest first, with the status a reader must give it: an open one
    /// whose recorder is gone is torn.
    List<CatalogueEntry> sessions();

    /// What could not be read when [#sessions] was last asked: each says where and why.
    List<JournalException> damaged();

    /// Opens the session whose identity is `name`, or begins with it where only one does; `last` is
    /// the newest.
    SessionReader open(String name);

    /// What all sessions tell dashboards, beginning with what was recorded then.
    ExitTail exits(Instant since);

    /// What one session tells dashboards, from its begin on.
    ExitTail exits(SessionHeader session);

    /// Where this log is, as a user would write it.
    String location();

    @Override
    void close();
}

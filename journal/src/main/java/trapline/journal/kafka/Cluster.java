package trapline.journal.kafka;

import java.util.Optional;
import trapline.journal.JournalException;
import trapline.schemas.CatalogueEntry;

/// The brokers that a log lives on.
public interface Cluster extends AutoCloseable {

    /// `host:port`, several with commas: where clients find it now.
    String address();

    /// The log as a user would write it.
    String location();

    /// Why the brokers are of no use any more, where that is known.
    Optional<JournalException> fault();

    /// How many partitions the topic of events gets unless a user says otherwise.
    int defaultPartitions();

    /// How long the brokers may be silent before a recording is given up.
    int deliveryTimeoutMillis();

    /// Marks a session as being recorded, until it is closed.
    Presence startRecording(String session);

    /// Whether the recorder of this session, which is open, has gone.
    boolean isAbandoned(CatalogueEntry entry);

    @Override
    void close();

    /// That this process is recording a session, as long as it is not closed.
    interface Presence extends AutoCloseable {
        @Override
        void close();
    }
}

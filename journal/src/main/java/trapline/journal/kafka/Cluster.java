package trapline.journal.kafka;

import java.util.List;
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

    /// Makes sure that more can be recorded without hurting what is there.
    ///
    /// @throws JournalException if not
    void checkRoom();

    /// Makes sure that topics which the brokers do not know were never there.
    ///
    /// @throws JournalException if one was
    void checkNeverHeld(List<String> topics);

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

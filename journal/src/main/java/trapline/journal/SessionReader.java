package trapline.journal;

import java.util.List;
import java.util.Optional;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.Checkpoint;
import trapline.schemas.CheckpointRef;
import trapline.schemas.Digest;
import trapline.schemas.Framing;

/// Reads one session. Used by one thread at a time.
public interface SessionReader extends AutoCloseable {

    CatalogueEntry entry();

    /// Where the session's events are: `topic-partition` or the file.
    String place();

    /// The schemas this log holds, for records that another version wrote.
    Framing.Writers writers();

    /// A content that the header refers to, its hash checked.
    byte[] blob(Digest sha256);

    /// Streams the records of events from one place on, in order, to the session's end as known
    /// when the call began: of a torn session, to the last event acknowledged.
    ///
    /// @param from null for the first event, else a checkpoint: then from the event after it
    void read(CheckpointRef from, RecordHandler handler);

    /// Streams as [#read] does, and then goes on with what the recorder appends, until the session
    /// has ended, the handler wants no more or the thread is interrupted.
    void follow(CheckpointRef from, RecordHandler handler);

    /// The last checkpoint at or before an event's order number.
    Optional<CheckpointRef> checkpointBefore(long order);

    /// The last checkpoint at or before an event of one vCPU.
    Optional<CheckpointRef> checkpointBefore(int vcpu, long seq);

    /// The checkpoint with this number, from 0.
    CheckpointRef checkpointRef(int number);

    Checkpoint checkpoint(CheckpointRef ref);

    /// How many checkpoints there are.
    int checkpoints();

    /// Where a checkpoint is: `topic-partition@offset`, or file and byte position.
    String place(CheckpointRef ref);

    /// Where the newest entry of the session is, which closes it if anything does.
    String entryPlace();

    /// What cannot be read and may have been an entry of this session that closes it.
    List<JournalException> unreadable();

    @Override
    void close();

    /// Receives records; the bytes are valid only during the call.
    interface RecordHandler {

        /// @param place of this record: topic, partition and offset, or file and byte position
        /// @return whether to go on
        boolean record(byte[] bytes, int offset, int length, Place place);
    }

    /// Where a record is. Costs nothing until it is asked for its text.
    interface Place {

        /// `trapline.events-0@1234`, or `session.avro@5678`.
        String describe();

        /// The record's offset in its partition, or its ordinal in a file.
        long offset();
    }
}

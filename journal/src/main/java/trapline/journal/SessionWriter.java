package trapline.journal;

import trapline.schemas.Checkpoint;
import trapline.schemas.ClosingRecord;
import trapline.schemas.ExitObserved;
import trapline.schemas.ExitStatistics;
import trapline.schemas.InterceptionObserved;
import trapline.schemas.ViolationObserved;

/// Appends to one open session. Used by one thread.
///
/// Never runs further ahead of what the log acknowledged than a fixed bound: when the log does not
/// keep up, appending waits, and when it does not recover within the delivery time-out, the session
/// is torn and [JournalException] says up to which event the log is intact.
public interface SessionWriter extends AutoCloseable {

    /// Appends the next event's record, whole. The array is the log's from now on.
    void append(byte[] record);

    /// How many events the log has acknowledged.
    long acknowledged();

    /// Writes a checkpoint of the last event appended, once that event is acknowledged: its
    /// `eventOffset` is filled in here. Does not wait.
    void checkpoint(Checkpoint checkpoint);

    /// Whether this log has the derived topics, so that making their records is worth the while.
    default boolean keepsExits() {
        return true;
    }

    /// Appends to the derived topic of exits; a file has none and ignores it.
    void exit(ExitObserved exit);

    /// Appends to the derived topic of statistics; a file has none and ignores it.
    void statistics(ExitStatistics statistics);

    /// Appends to the derived topic of violations; a file has none and ignores it.
    default void violation(ViolationObserved violation) {}

    /// Appends to the derived topic of interceptions; a file has none and ignores it.
    default void interception(InterceptionObserved interception) {}

    /// Waits until all is acknowledged, then closes the session with this record; `checkpoints` in
    /// it is filled in here. With a reason in it the session's status is TORN, else CLOSED.
    void finish(ClosingRecord closing);

    /// Where the session's events are: `topic-partition` or the file.
    String place();

    /// Without [#finish] before, leaves the session open, to be found torn by readers.
    @Override
    void close();
}

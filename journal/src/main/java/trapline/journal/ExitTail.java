package trapline.journal;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import trapline.schemas.ExitObserved;
import trapline.schemas.ExitStatistics;
import trapline.schemas.InterceptionObserved;
import trapline.schemas.ViolationObserved;

/// What sessions tell dashboards, as they are being recorded: first what is there, then what comes.
///
/// A folder of files keeps no such stream, and its tail brings nothing.
public interface ExitTail extends AutoCloseable {

    /// Of a log that keeps none.
    ExitTail NONE =
            new ExitTail() {
                @Override
                public Recent poll(Duration patience) {
                    return Recent.NOTHING;
                }

                @Override
                public boolean caughtUp() {
                    return true;
                }

                @Override
                public void mark() {}

                @Override
                public long lagRecords() {
                    return 0;
                }

                @Override
                public void close() {}
            };

    /// What came since the last call; waits at most so long for it.
    Recent poll(Duration patience);

    /// Whether all has been brought that was there when the tail was opened, or at the last [#mark].
    boolean caughtUp();

    /// What is there now is to be brought before [#caughtUp] says so again.
    void mark();

    /// How many records are there that were not brought yet, as far as the brokers have said.
    long lagRecords();

    @Override
    void close();

    /// In the order of each session and kind; between sessions there is none.
    ///
    /// @param unreadable how many records were skipped because they cannot be read, or are not kept any more
    /// @param firstUnreadable where the first of these is, and why
    record Recent(
            List<ExitObserved> exits,
            List<ExitStatistics> statistics,
            List<ViolationObserved> violations,
            List<InterceptionObserved> interceptions,
            long unreadable,
            Optional<String> firstUnreadable) {

        public static final Recent NOTHING =
                new Recent(List.of(), List.of(), List.of(), List.of(), 0, Optional.empty());
    }
}

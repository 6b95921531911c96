package trapline.journal;

import java.time.Duration;
import java.util.List;
import trapline.schemas.ExitObserved;
import trapline.schemas.ExitStatistics;

/// The exits of all sessions, as they are being recorded: for dashboards.
///
/// A folder of files keeps no such stream, and its tail brings nothing.
public interface ExitTail extends AutoCloseable {

    /// Of a log that keeps none.
    ExitTail NONE =
            new ExitTail() {
                @Override
                public Recent poll(Duration patience) {
                    return new Recent(List.of(), List.of());
                }

                @Override
                public void close() {}
            };

    /// What came since the last call; waits at most so long for it.
    Recent poll(Duration patience);

    @Override
    void close();

    /// In the order of each session; between sessions there is none.
    record Recent(List<ExitObserved> exits, List<ExitStatistics> statistics) {}
}

package trapline.replayer.times;

import java.util.Optional;
import java.util.function.LongConsumer;
import trapline.replayer.Session;
import trapline.replayer.Tally;

/// Counts what a recorded session holds.
public final class Statistics {

    private Statistics() {}

    /// Tells exits and their times of each event.
    ///
    /// @return what else a session of the model's holds
    public static Optional<Tally> of(Session session, ExitTimes times, LongConsumer progress) {
        Optional<Tally> tally =
                session.imported()
                        ? Optional.empty()
                        : Optional.of(new Tally(session.vendor(), session.vcpus()));
        times.expect(session.vcpus());
        session.events((envelope, _) -> {
            tally.ifPresent(t -> t.add(envelope));
            times.add(envelope);
            if (envelope.stamp().order() % 10_000 == 0) {
                progress.accept(envelope.stamp().order());
            }
            return true;
        });
        times.finish();
        return tally;
    }
}

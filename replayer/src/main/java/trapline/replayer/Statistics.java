package trapline.replayer;

import java.util.function.LongConsumer;

/// Counts what a recorded session holds.
public final class Statistics {

    private Statistics() {}

    public static Tally of(Session session, LongConsumer progress) {
        Tally tally = new Tally(session.vendor(), session.vcpus());
        session.events((envelope, _) -> {
            tally.add(envelope);
            if (envelope.stamp().order() % 10_000 == 0) {
                progress.accept(envelope.stamp().order());
            }
            return true;
        });
        return tally;
    }
}

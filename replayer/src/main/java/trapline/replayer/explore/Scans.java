package trapline.replayer.explore;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import trapline.engine.event.Envelope;
import trapline.replayer.Session;
import trapline.schemas.CatalogueEntry.Status;

/// What is read of a whole session in the background: first what it looks like, then which rules it broke.
///
/// A session that is still being recorded is read for both at once, and followed.
final class Scans implements AutoCloseable {

    private final Supplier<Session> open;
    private final AtomicInteger asking;
    private Survey survey;
    private Judgement judgement;
    private Background surveying;
    private Background judging;
    private boolean closed;

    /// @param open opens the session once more
    /// @param asking how many wait for an answer now
    Scans(Supplier<Session> open, AtomicInteger asking) {
        this.open = open;
        this.asking = asking;
    }

    /// Begins to read, unless it has.
    synchronized void start(Session session) {
        if (survey != null || closed) {
            return;
        }
        survey = new Survey(session);
        boolean judged = !session.imported() && session.sameModel();
        judgement = judged ? new Judgement(session) : null;
        boolean both = session.entry().status() == Status.OPEN;
        surveying =
                new Background(
                        "trapline-survey", open, asking, both ? survey : thenJudging(survey));
        if (both) {
            judge();
        }
    }

    private Background.Reader thenJudging(Survey reader) {
        return new Background.Reader() {
            @Override
            public boolean event(Envelope envelope) {
                return reader.event(envelope);
            }

            @Override
            public void end(Optional<String> problem) {
                reader.end(problem);
                judge();
            }
        };
    }

    private synchronized void judge() {
        if (judgement != null && !closed) {
            judging = new Background("trapline-judge", open, asking, judgement);
        }
    }

    /// After [#start].
    synchronized Survey survey() {
        return survey;
    }

    /// After [#start]; empty where nothing can be judged.
    synchronized Optional<Judgement> judgement() {
        return Optional.ofNullable(judgement);
    }

    @Override
    public void close() {
        Background[] running;
        synchronized (this) {
            closed = true;
            running = new Background[] {surveying, judging};
        }
        for (Background each : running) {
            if (each != null) {
                each.close();
            }
        }
    }
}

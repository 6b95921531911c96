package trapline.dashboard.web;

import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import trapline.engine.cost.CostProfile;
import trapline.engine.policy.Policy;
import trapline.engine.text.InputException;
import trapline.journal.Journal;
import trapline.journal.JournalException;
import trapline.replayer.Diff;
import trapline.replayer.DiffResult;
import trapline.replayer.DiffTimeline;
import trapline.replayer.JsonTree;
import trapline.replayer.ReplayException;
import trapline.replayer.ResultTree;
import trapline.replayer.Session;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.ClosingRecord;

/// One session under two policies, compared in the background.
final class DiffJob implements Runnable {

    /// What is asked for.
    ///
    /// @param base the recorded one where there is none
    /// @param costs those of the platform where there are none
    record Question(
            CatalogueEntry session,
            Optional<Policy> base,
            Policy candidate,
            Optional<CostProfile> costs) {}

    enum State {
        WAITING,
        RUNNING,
        DONE,
        FAILED,
        CANCELLED;

        private boolean over() {
            return this == DONE || this == FAILED || this == CANCELLED;
        }
    }

    /// Thrown out of a comparison that nobody wants any more.
    private static final class Cancelled extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Cancelled() {
            super("cancelled", null, false, false);
        }
    }

    private final Journal journal;
    private final Question question;
    private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);
    private volatile long ops;
    private volatile String error;
    private volatile String result = "null";
    private volatile String timeline = "null";

    DiffJob(Journal journal, Question question) {
        this.journal = journal;
        this.question = question;
    }

    @Override
    public void run() {
        if (!state.compareAndSet(State.WAITING, State.RUNNING)) {
            return;
        }
        try {
            compare();
            state.compareAndSet(State.RUNNING, State.DONE);
        } catch (Cancelled e) {
            // Its state says so.
        } catch (InputException | ReplayException | JournalException e) {
            fail(e.getMessage());
        } catch (OutOfMemoryError e) {
            fail("the comparison takes more memory than the server has");
        } catch (Throwable e) { // whatever it is, nobody waits for ever
            fail("internal error of the comparison: " + e.getClass().getSimpleName());
        }
    }

    private void compare() {
        String name = question.session().header().session();
        try (Session session = Session.open(journal, name)) {
            Policy base = question.base().orElseGet(session::policy);
            CostProfile costs = question.costs().orElseGet(() -> ofPlatform(session));
            Diff diff = new Diff(session, base, question.candidate());
            DiffResult compared =
                    diff.run(
                            costs,
                            _ -> {
                                ops = diff.ops();
                                if (state.get() != State.RUNNING) {
                                    throw new Cancelled();
                                }
                            });
            result = JsonTree.text(ResultTree.of(compared));
            timeline = JsonTree.text(DiffTimeline.of(compared));
        }
    }

    private static CostProfile ofPlatform(Session session) {
        String name = session.machines().platform().description().costs();
        return CostProfile.find(name, _ -> Optional.empty());
    }

    private void fail(String why) {
        error = why;
        state.compareAndSet(State.RUNNING, State.FAILED);
    }

    void cancel() {
        state.updateAndGet(now -> now.over() ? now : State.CANCELLED);
    }

    State state() {
        return state.get();
    }

    /// How many guest ops there are, where anybody knows.
    private long of() {
        return question.session().closing().map(ClosingRecord::guestOps).orElse(0L);
    }

    /// As the page is told it.
    String text() {
        State now = state.get();
        boolean done = now == State.DONE;
        return """
        {"state":%s,"ops":%d,"of":%d,"error":%s,"result":%s,"timeline":%s}\
        """
                .formatted(
                        JsonTree.text(now.name().toLowerCase(Locale.ROOT)),
                        ops,
                        Math.max(ops, of()),
                        JsonTree.text(error),
                        done ? result : "null",
                        done ? timeline : "null");
    }
}

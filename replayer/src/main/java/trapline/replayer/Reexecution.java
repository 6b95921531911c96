package trapline.replayer;

import java.util.ArrayDeque;
import java.util.Deque;
import trapline.engine.BrokenInvariant;
import trapline.engine.event.Envelope;
import trapline.engine.event.Moment;
import trapline.engine.sim.EventSink;
import trapline.engine.sim.Execution;
import trapline.replayer.RecordedSteps.Recorded;

/// A recorded session's steps, run again under its own policy as its events are read.
///
/// It goes on as long as the same events come out; then what was found on the way is true of the recording.
public final class Reexecution {

    /// How many events one op can have at most.
    private static final int MOST_UNMATCHED = 100_000;

    private final RecordedWorld world;
    private final StepSource steps;
    private final Execution execution;
    private final Deque<Envelope> recorded = new ArrayDeque<>();
    private final Deque<Envelope> executed = new ArrayDeque<>();
    private boolean same = true;
    private boolean started;

    /// @param sink is told all that the execution does
    public Reexecution(Session session, EventSink sink) {
        world = new RecordedWorld(session.parts().world(), session.vcpus());
        steps = session.steps();
        execution = session.machines().execution(world, both(sink));
    }

    private EventSink both(EventSink sink) {
        return new EventSink() {
            @Override
            public void accept(Envelope envelope) {
                executed.add(envelope);
                sink.accept(envelope);
            }

            @Override
            public void at(Moment moment, int vcpu) {
                sink.at(moment, vcpu);
            }
        };
    }

    public Execution execution() {
        return execution;
    }

    /// Takes the next event of the session.
    ///
    /// @return whether the same has come out so far; if not it goes on no more
    public boolean accept(Envelope envelope) {
        if (!same) {
            return false;
        }
        recorded.add(envelope);
        try {
            if (!started) {
                started = true;
                execution.start();
            }
            steps.accept(envelope, this::repeat);
        } catch (BrokenInvariant e) {
            same = false;
        }
        while (same && !recorded.isEmpty() && !executed.isEmpty()) {
            same = recorded.poll().equals(executed.poll());
        }
        same &= recorded.size() <= MOST_UNMATCHED;
        return same;
    }

    private void repeat(Recorded step) {
        world.expect(step.vcpu(), step.answers());
        execution.repeat(step.vcpu(), step.step());
    }
}

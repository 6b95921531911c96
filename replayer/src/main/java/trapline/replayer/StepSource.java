package trapline.replayer;

import java.util.Optional;
import java.util.function.Consumer;
import trapline.engine.event.Envelope;
import trapline.replayer.RecordedSteps.Recorded;
import trapline.replayer.observed.ObservedCounts;
import trapline.replayer.observed.ObservedSteps;

/// Finds the steps in a session's events, as they come.
interface StepSource {

    /// Takes the next event, and gives the steps that it ends.
    void accept(Envelope envelope, Consumer<Recorded> out);

    /// There are no more events.
    void finish(Consumer<Recorded> out);

    /// What became of a trace's events so far.
    default Optional<ObservedCounts> counts() {
        return Optional.empty();
    }

    /// Those that the model executed.
    static StepSource recorded(boolean fromLog) {
        RecordedSteps steps = new RecordedSteps(fromLog);
        return new StepSource() {
            @Override
            public void accept(Envelope envelope, Consumer<Recorded> out) {
                Recorded step = steps.accept(envelope);
                if (step != null) {
                    out.accept(step);
                }
            }

            @Override
            public void finish(Consumer<Recorded> out) {}
        };
    }

    /// Those that a trace tells of.
    static StepSource observed(int vcpus) {
        ObservedSteps steps = new ObservedSteps(vcpus);
        return new StepSource() {
            @Override
            public void accept(Envelope envelope, Consumer<Recorded> out) {
                steps.accept(envelope, step -> out.accept(Recorded.of(step)));
            }

            @Override
            public void finish(Consumer<Recorded> out) {
                steps.finish(step -> out.accept(Recorded.of(step)));
            }

            @Override
            public Optional<ObservedCounts> counts() {
                return Optional.of(steps.counts());
            }
        };
    }
}

package trapline.replayer;

import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import trapline.engine.cpu.World;
import trapline.engine.event.Envelope;
import trapline.engine.event.Moment;
import trapline.engine.policy.Policy;
import trapline.engine.rule.Rules;
import trapline.engine.rule.Violation;
import trapline.engine.sim.EventSink;
import trapline.engine.sim.Execution;
import trapline.replayer.RecordedSteps.Recorded;
import trapline.replayer.observed.ObservedCounts;

/// A recorded session's steps, run again under whatever policy an execution has.
public final class Diversion {

    private final Session session;
    private final RecordedWorld world;
    private StepSource steps;

    public Diversion(Session session) {
        this.session = session;
        world = new RecordedWorld(session.parts().world(), session.vcpus());
    }

    /// Answers as recorded.
    public World world() {
        return world;
    }

    /// Starts the execution and gives it every recorded step, as long as `goOn` says so.
    public void drive(Execution execution, BooleanSupplier goOn) {
        steps = session.steps();
        Consumer<Recorded> repeating =
                step -> {
                    world.expect(step.vcpu(), step.answers());
                    execution.repeat(step.vcpu(), step.step());
                };
        boolean[] stopped = new boolean[1];
        execution.start();
        session.events((envelope, _) -> {
            steps.accept(envelope, repeating);
            stopped[0] = !goOn.getAsBoolean();
            return !stopped[0];
        });
        if (!stopped[0]) {
            steps.finish(repeating);
        }
    }

    /// What became of an imported trace's events; nothing for other sessions, and before [#drive].
    public Optional<ObservedCounts> counts() {
        return steps == null ? Optional.empty() : steps.counts();
    }

    /// What another policy makes of the session.
    ///
    /// @param violations the safety rules that it broke
    public record Result(Tally tally, List<Violation> violations) {}

    public static Result run(Session session, Policy policy, LongConsumer progress) {
        Diversion diversion = new Diversion(session);
        Counting counting = new Counting(session, progress);
        Execution execution =
                session.parts().machines(policy).execution(diversion.world(), counting);
        counting.rules = new Rules(execution.machine(), execution.setup());
        diversion.drive(execution, () -> true);
        return new Result(counting.tally, counting.rules.violations());
    }

    /// Counts and judges.
    private static final class Counting implements EventSink {

        private static final long PROGRESS_EVENTS = 10_000;

        private final Tally tally;
        private final LongConsumer progress;
        private Rules rules;

        Counting(Session session, LongConsumer progress) {
            tally = new Tally(session.vendor(), session.vcpus());
            this.progress = progress;
        }

        @Override
        public void accept(Envelope envelope) {
            tally.add(envelope);
            rules.accept(envelope);
            if (envelope.stamp().order() % PROGRESS_EVENTS == 0) {
                progress.accept(envelope.stamp().order());
            }
        }

        @Override
        public void at(Moment moment, int vcpu) {
            rules.at(moment, vcpu);
        }
    }
}

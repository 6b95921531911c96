package trapline.replayer;

import java.util.function.BooleanSupplier;
import java.util.function.LongConsumer;
import trapline.engine.cpu.World;
import trapline.engine.policy.Policy;
import trapline.engine.sim.Execution;
import trapline.replayer.RecordedSteps.Recorded;

/// A recorded session's steps, run again under whatever policy an execution has.
public final class Diversion {

    private final Session session;
    private final RecordedWorld world;

    public Diversion(Session session) {
        this.session = session;
        world = new RecordedWorld(session.parts().seed(), session.vcpus());
    }

    /// Answers as recorded.
    public World world() {
        return world;
    }

    /// Starts the execution and gives it every recorded step, as long as `goOn` says so.
    public void drive(Execution execution, BooleanSupplier goOn) {
        RecordedSteps steps = new RecordedSteps(session.fromLog());
        execution.start();
        session.events((envelope, _) -> {
            Recorded step = steps.accept(envelope);
            if (step != null) {
                world.expect(step.answers());
                execution.repeat(step.vcpu(), step.step());
            }
            return goOn.getAsBoolean();
        });
    }

    /// Counts what another policy makes of the session.
    public static Tally count(Session session, Policy policy, LongConsumer progress) {
        Tally tally = new Tally(session.vendor(), session.vcpus());
        Diversion diversion = new Diversion(session);
        Execution execution =
                session.parts()
                        .machines(policy)
                        .execution(
                                diversion.world(),
                                envelope -> {
                                    tally.add(envelope);
                                    if (envelope.stamp().order() % 10_000 == 0) {
                                        progress.accept(envelope.stamp().order());
                                    }
                                });
        diversion.drive(execution, () -> true);
        return tally;
    }
}

package trapline.replayer;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.HypervisorEvent.UserspaceExited;
import trapline.engine.event.Outcome;
import trapline.engine.guest.Step;
import trapline.engine.policy.Policy;
import trapline.engine.sim.EventSink;
import trapline.engine.sim.Execution;
import trapline.engine.table.ExitReasons;
import trapline.replayer.RecordedSteps.Recorded;
import trapline.replayer.observed.Fidelity;
import trapline.replayer.observed.FidelityCheck;
import trapline.replayer.observed.FidelityCheck.Predicted;
import trapline.replayer.observed.ObservedStep;
import trapline.replayer.observed.ObservedSteps;

/// Runs an imported trace's ops under the policy that its host had, and holds the exits against the trace.
public final class FidelityRun implements EventSink {

    private final Session session;
    private final ObservedSteps steps;
    private final RecordedWorld world;
    private final Execution execution;
    private final FidelityCheck check = new FidelityCheck();
    private final Tally tally;
    private final SortedMap<Long, Since> passedThrough = new TreeMap<>();
    private final List<String> exits = new ArrayList<>();
    private final List<String> userspace = new ArrayList<>();
    private Outcome outcome;
    private long order;
    private int vcpu;

    /// What a run under the recording policy showed.
    public record Result(Fidelity fidelity, Passed passed) {

        /// What a run under another policy cannot have counted.
        public List<Unseen> unseen(Tally other) {
            return Unseen.of(passed, other);
        }
    }

    /// From where on the guest's accesses left no trace, because they were passed through.
    ///
    /// @param tally of the run under the recording policy
    /// @param complete whether the trace has all accesses even so, as an MSR log does
    record Passed(String as, Tally tally, SortedMap<Long, Since> since, boolean complete) {}

    /// @param order of the trace's event; 0 for the vCPU's making
    record Since(long op, long order) {}

    private FidelityRun(Session session, Policy as) {
        this.session = session;
        steps = new ObservedSteps(session.vcpus());
        world = new RecordedWorld(session.parts().world(), session.vcpus());
        tally = new Tally(session.vendor(), session.vcpus());
        execution = session.parts().machines(as).execution(world, this);
    }

    /// @param session an imported one, with a machine to run on
    /// @param as the policy that the recorded host is taken to have had
    public static Result of(Session session, Policy as, LongConsumer progress) {
        return new FidelityRun(session, as).run(as.identity().expression(), progress);
    }

    private Result run(String as, LongConsumer progress) {
        execution.start();
        session.events((envelope, _) -> {
            steps.accept(envelope, this::step);
            if (envelope.stamp().order() % 10_000 == 0) {
                progress.accept(envelope.stamp().order());
            }
            return true;
        });
        steps.finish(this::step);
        return new Result(
                check.result(as, session.header().machine().platform(), steps.counts()),
                new Passed(as, tally, passedThrough, !steps.counts().exitsAlone()));
    }

    private void step(ObservedStep step) {
        exits.clear();
        userspace.clear();
        outcome = null;
        order = step.at().order();
        vcpu = step.vcpu();
        Recorded recorded = Recorded.of(step);
        world.expect(recorded.vcpu(), recorded.answers());
        execution.repeat(recorded.vcpu(), recorded.step());
        check.step(
                step,
                new Predicted(
                        List.copyOf(exits),
                        List.copyOf(userspace),
                        step.step() instanceof Step.Do ? outcome : null));
    }

    @Override
    public void accept(Envelope envelope) {
        tally.add(envelope);
        boolean own = envelope.stamp().vcpu() == vcpu;
        switch (envelope.event()) {
            case VmExited e when own && e.level() == 1 ->
                    exits.add(Names.exit(session.vendor(), e.reason()));
            case UserspaceExited(int reason) when own ->
                    userspace.add(ExitReasons.userspace(reason));
            case GuestEvent e -> outcome = e.outcome();
            case MsrInterceptChanged e -> passed(envelope, e);
            default -> {}
        }
    }

    private void passed(Envelope envelope, MsrInterceptChanged e) {
        if (e.bitmap() != 1) {
            return;
        }
        Since since = new Since(envelope.stamp().op(), order);
        if (!e.read()) {
            passedThrough.putIfAbsent(key(envelope.stamp().vcpu(), e.msr(), false), since);
        }
        if (!e.write()) {
            passedThrough.putIfAbsent(key(envelope.stamp().vcpu(), e.msr(), true), since);
        }
    }

    static long key(int vcpu, int msr, boolean write) {
        return (long) vcpu << 33 | Integer.toUnsignedLong(msr) << 1 | (write ? 1 : 0);
    }
}

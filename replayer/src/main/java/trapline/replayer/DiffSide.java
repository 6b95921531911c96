package trapline.replayer;

import java.util.ArrayList;
import java.util.List;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.Moment;
import trapline.engine.policy.Policy;
import trapline.engine.rule.Rules;
import trapline.engine.sim.EventSink;
import trapline.engine.sim.Execution;

/// One of the two executions of a diff, fed batch by batch with the same recorded steps.
final class DiffSide implements EventSink {

    private final RecordedWorld world;
    private final Execution execution;
    private final Tally tally;
    private final Rules rules;
    private final ExitBins bins;
    private boolean keepEvents = true;
    private List<Envelope> events = new ArrayList<>();
    private GuestEvent result;

    DiffSide(Session session, Policy policy) {
        world = new RecordedWorld(session.parts().world(), session.vcpus());
        tally = new Tally(session.vendor(), session.vcpus());
        bins = new ExitBins(session.vendor(), session.vcpus());
        execution = session.parts().machines(policy).execution(world, this);
        rules = new Rules(execution.machine(), execution.setup());
        execution.start();
    }

    @Override
    public void accept(Envelope envelope) {
        tally.add(envelope);
        bins.add(envelope);
        rules.accept(envelope);
        if (keepEvents) {
            events.add(envelope);
        }
        if (envelope.event() instanceof GuestEvent event) {
            result = event;
        }
    }

    @Override
    public void at(Moment moment, int vcpu) {
        rules.at(moment, vcpu);
    }

    /// What one batch of steps gave: for each step the guest's result, and all events while kept.
    ///
    /// @param events null once the two sides have parted
    record Outcomes(GuestEvent[] results, List<List<Envelope>> events) {}

    Outcomes run(List<RecordedSteps.Recorded> steps, boolean keep) {
        keepEvents = keep;
        GuestEvent[] results = new GuestEvent[steps.size()];
        List<List<Envelope>> kept = keep ? new ArrayList<>(steps.size()) : null;
        for (int i = 0; i < results.length; i++) {
            RecordedSteps.Recorded step = steps.get(i);
            result = null;
            if (keep) {
                events = new ArrayList<>();
            }
            world.expect(step.vcpu(), step.answers());
            execution.repeat(step.vcpu(), step.step());
            results[i] = result;
            if (keep) {
                kept.add(events);
            }
        }
        return new Outcomes(results, kept);
    }

    /// The events that made the vCPUs, before any step.
    List<Envelope> beginning() {
        return events;
    }

    Tally tally() {
        return tally;
    }

    ExitBins bins() {
        return bins;
    }

    Rules rules() {
        return rules;
    }
}

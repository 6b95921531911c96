package trapline.replayer.explore;

import java.util.Map;
import java.util.Optional;
import trapline.engine.event.Envelope;
import trapline.engine.event.HardwareEvent;
import trapline.engine.sim.EntryFailures;
import trapline.engine.sim.EntryFailures.Failure;
import trapline.engine.state.MachineState;
import trapline.engine.state.VcpuState.Mode;
import trapline.replayer.ObservedState;
import trapline.replayer.Session;
import trapline.replayer.StateView;

/// The state of a vCPU after an event and before it, as the trees that `state` prints.
final class States {

    /// At most so many events of a vCPU follow its failed entry: the way to userspace.
    private static final long EVENTS_OF_A_FAILURE = 100;

    /// What a trace showed up to an event is not found by reading more than so many.
    private static final long MOST_OBSERVED = 4L * Chunk.SIZE;

    private final Events events;
    private final Survey survey;

    States(Events events, Survey survey) {
        this.events = events;
        this.survey = survey;
    }

    /// Both null where that cannot be said yet.
    record Pair(Map<String, Object> before, Map<String, Object> after) {}

    /// Both sides of an event.
    Pair around(Envelope event) {
        Session session = events.session();
        int vcpu = event.stamp().vcpu();
        long order = event.stamp().order();
        if (session.imported()) {
            return observed(event);
        }
        Chunk chunk = events.holding(order);
        MachineState machine = chunk.after(order - 1);
        Map<String, Object> before = view(machine, vcpu);
        chunk.fold(machine, order);
        return new Pair(before, view(machine, vcpu));
    }

    /// From what was kept of the trace so far.
    private Pair observed(Envelope event) {
        int vcpu = event.stamp().vcpu();
        long order = event.stamp().order();
        Sightings.Seen seen = survey.seen(vcpu, order - 1);
        if (order - seen.order() > MOST_OBSERVED) {
            return new Pair(null, null);
        }
        for (long next = seen.order() + 1; next < order; next++) {
            seen.state().add(events.event(next));
        }
        Map<String, Object> before = seen.state().view();
        seen.state().add(event);
        return new Pair(before, seen.state().view());
    }

    /// The state before the first event of a vCPU.
    Map<String, Object> beginning(int vcpu) {
        Session session = events.session();
        return session.imported()
                ? new ObservedState(session.name(), vcpu).view()
                : StateView.of(session.name(), new MachineState(session.config()), vcpu);
    }

    private Map<String, Object> view(MachineState machine, int vcpu) {
        return StateView.of(events.session().name(), machine, vcpu, failed(machine, vcpu));
    }

    /// The VM entry that failed last, of a vCPU that has not run since.
    private Optional<Failure> failed(MachineState machine, int vcpu) {
        long least = machine.vcpu(vcpu).seq() - EVENTS_OF_A_FAILURE;
        if (machine.vcpu(vcpu).mode() != Mode.ROOT || machine.order() == 0) {
            return Optional.empty();
        }
        Chunk chunk = events.holding(machine.order());
        EntryFailures failures = new EntryFailures();
        Envelope last =
                chunk.previous(machine.order() + 1, event -> isHardware(event, vcpu, least));
        if (last == null && chunk.before() > 0) {
            chunk = events.chunk(chunk.number() - 1);
            last = chunk.previous(Long.MAX_VALUE, event -> isHardware(event, vcpu, least));
        }
        if (last == null || last.stamp().vcpu() != vcpu || last.stamp().seq() <= least) {
            return Optional.empty();
        }
        for (long order = last.stamp().order(); order <= machine.order(); order++) {
            Envelope event = events.event(order);
            if (event.stamp().vcpu() == vcpu) {
                failures.add(event);
            }
        }
        return failures.all().stream().findFirst();
    }

    /// Such an event, or one that is too early.
    private static boolean isHardware(Envelope event, int vcpu, long least) {
        return event.stamp().vcpu() == vcpu
                && (event.event() instanceof HardwareEvent || event.stamp().seq() <= least);
    }
}

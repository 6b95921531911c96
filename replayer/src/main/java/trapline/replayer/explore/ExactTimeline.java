package trapline.replayer.explore;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import trapline.engine.event.Envelope;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.state.MachineState;
import trapline.engine.state.Vendor;

/// The lanes of all vCPUs over a few thousand events, folded from the chunk before.
final class ExactTimeline {

    /// A range of more events is drawn from the index.
    static final long MOST_EVENTS = 50_000;

    /// How far behind its end is looked for what the last exits were about.
    private static final long BEYOND = 500;

    private final Events events;
    private final List<Lane> lanes = new ArrayList<>();
    private Chunk chunk;
    private MachineState machine;

    ExactTimeline(Events events) {
        this.events = events;
    }

    /// @param from the lanes begin with the state after this event
    /// @param to not behind the session's end
    List<Object> lanes(long from, long to, Set<Integer> msrs) {
        List<Mode.Tracker> trackers = arrive(from);
        for (int vcpu = 0; vcpu < machine.vcpus(); vcpu++) {
            lanes.add(new Lane(machine, vcpu, trackers.get(vcpu), msrs));
        }
        for (long order = from + 1; order <= to; order++) {
            step(order);
        }
        beyond(to);
        return lanes.stream().<Object>map(lane -> lane.tree(to)).toList();
    }

    /// Folds up to an event. Which exits are under way there, the events before tell, if need be those of one more chunk.
    private List<Mode.Tracker> arrive(long from) {
        long number = Chunk.number(from);
        List<Mode.Tracker> trackers = arrive(from, number);
        boolean known = trackers.stream().noneMatch(Mode.Tracker::isUnknown);
        return known || number == 0 ? trackers : arrive(from, number - 1);
    }

    private List<Mode.Tracker> arrive(long from, long number) {
        chunk = events.chunk(number);
        machine = chunk.start().copy();
        Vendor vendor = machine.config().vendor();
        List<Mode.Tracker> trackers = new ArrayList<>();
        for (int vcpu = 0; vcpu < machine.vcpus(); vcpu++) {
            trackers.add(new Mode.Tracker(vendor, machine.vcpu(vcpu)));
        }
        while (machine.order() < from) {
            Envelope event = apply(machine.order() + 1);
            trackers.get(event.stamp().vcpu()).add(event, machine.vcpu(event.stamp().vcpu()));
        }
        return trackers;
    }

    private Envelope apply(long order) {
        turn(order);
        chunk.fold(machine, order);
        return chunk.event(order);
    }

    private void turn(long order) {
        if (!chunk.has(order)) {
            chunk = events.holding(order);
        }
    }

    private void step(long order) {
        turn(order);
        Envelope event = chunk.event(order);
        if (event.event() instanceof MsrInterceptChanged changed) {
            lanes.get(event.stamp().vcpu()).before(changed, machine);
        }
        chunk.fold(machine, order);
        for (Lane lane : lanes) {
            lane.after(event, machine);
        }
    }

    /// As far as the chunk at hand goes.
    private void beyond(long to) {
        long end = Math.min(to + BEYOND, chunk.last());
        for (long order = to + 1; order <= end; order++) {
            Envelope event = apply(order);
            lanes.get(event.stamp().vcpu()).beyond(event, machine);
        }
    }
}

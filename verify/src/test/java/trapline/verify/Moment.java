package trapline.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.Random;
import java.util.TreeSet;
import trapline.engine.state.MachineState;
import trapline.recorder.Plan;
import trapline.replayer.Rebuild;
import trapline.schemas.Digest;
import trapline.schemas.StateCodec;

/// Where a vCPU of a live machine was after an event, and the whole state then.
record Moment(int vcpu, long seq, Digest digest) {

    /// Every moment of a guest that runs without a log.
    static List<Moment> live(Plan plan) {
        List<Moment> moments = new ArrayList<>();
        Guests.run(
                plan,
                (envelope, machine) ->
                        moments.add(
                                new Moment(
                                        envelope.stamp().vcpu(),
                                        envelope.stamp().seq(),
                                        StateCodec.digest(machine))));
        return moments;
    }

    /// Rebuilds at and around every checkpoint and here and there, by both ways to name an event.
    static void assertSampled(List<Moment> live, Rebuild rebuild, long checkpointEvery) {
        for (long order : samples(live.size(), checkpointEvery)) {
            Moment moment = live.get((int) order - 1);
            moment.assertState(order, rebuild.at(order));
            moment.assertState(order, rebuild.at(moment.vcpu(), moment.seq()));
        }
        live.getLast().assertState(live.size(), rebuild.atEnd());
    }

    private static NavigableSet<Long> samples(long events, long checkpointEvery) {
        NavigableSet<Long> orders = new TreeSet<>(List.of(1L, 2L, events));
        for (long at = checkpointEvery; at < events; at += checkpointEvery) {
            orders.addAll(List.of(at - 1, at, at + 1));
        }
        new Random(3).longs(12, 1, events).forEach(orders::add);
        return orders;
    }

    void assertState(long order, MachineState found) {
        assertEquals(order, found.order());
        assertEquals(digest, StateCodec.digest(found), () -> "at event " + order);
    }
}

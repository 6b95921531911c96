package trapline.replayer.explore;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import trapline.engine.event.Envelope;
import trapline.replayer.ObservedState;

/// What a trace had shown of its vCPUs by some of its events: fewer of them, the longer it gets.
final class Sightings {

    private static final int MOST = 256;

    private final String session;
    private final List<ObservedState> now = new ArrayList<>();
    private final TreeMap<Long, List<ObservedState>> kept = new TreeMap<>();
    private long every = Chunk.SIZE;

    Sightings(String session) {
        this.session = session;
    }

    /// @param order of the last event in it
    record Seen(long order, ObservedState state) {}

    void add(Envelope envelope) {
        int vcpu = envelope.stamp().vcpu();
        while (now.size() <= vcpu) {
            now.add(new ObservedState(session, now.size()));
        }
        now.get(vcpu).add(envelope);
        long order = envelope.stamp().order();
        if (order % every == 0) {
            kept.put(order, now.stream().map(ObservedState::copy).toList());
            thin();
        }
    }

    private void thin() {
        if (kept.size() == MOST) {
            every *= 2;
            kept.keySet().removeIf(order -> order % every != 0);
        }
    }

    Seen before(int vcpu, long order) {
        Map.Entry<Long, List<ObservedState>> found = kept.floorEntry(order);
        boolean shown = found != null && vcpu < found.getValue().size();
        return new Seen(
                found == null ? 0 : found.getKey(),
                shown ? found.getValue().get(vcpu).copy() : new ObservedState(session, vcpu));
    }
}

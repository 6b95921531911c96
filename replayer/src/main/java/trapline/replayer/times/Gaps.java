package trapline.replayer.times;

import java.util.HashMap;
import java.util.Map;

/// Where a trace lost events: what spans such a place on its CPU cannot be timed.
final class Gaps {

    private final Map<Integer, Long> lastOrder = new HashMap<>();
    private long everywhere;
    private long count;
    private long lost;

    /// @param pcpu below 0 if nobody knows
    void add(int pcpu, long order, long events) {
        count++;
        lost += events;
        if (pcpu < 0) {
            everywhere = order;
        } else {
            lastOrder.put(pcpu, order);
        }
    }

    /// Whether one of both CPUs lost events after that order.
    boolean since(long order, int pcpu, int otherPcpu) {
        return count != 0
                && (everywhere > order
                        || lastOrder.getOrDefault(pcpu, 0L) > order
                        || lastOrder.getOrDefault(otherPcpu, 0L) > order);
    }

    long count() {
        return count;
    }

    /// How many events, as far as the tracer told.
    long lost() {
        return lost;
    }
}

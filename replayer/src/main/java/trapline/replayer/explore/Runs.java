package trapline.replayer.explore;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// What held when, in order, without gaps: each run goes from the event that began it to the event that ended it.
///
/// @param <T> what held; equal neighbours are one run
final class Runs<T> {

    private final List<Run<T>> ended = new ArrayList<>();
    private long since;
    private T value;

    /// @param to the order number of the event that ended it, or of the end of all
    record Run<T>(long from, long to, T value) {}

    Runs(long from, T value) {
        since = from;
        this.value = value;
    }

    T value() {
        return value;
    }

    /// From this event on something else holds, or the same.
    void change(long order, T next) {
        if (!Objects.equals(value, next)) {
            if (order > since) {
                ended.add(new Run<>(since, order, value));
            }
            since = order;
            value = next;
        }
    }

    List<Run<T>> to(long end) {
        List<Run<T>> all = new ArrayList<>(ended);
        all.add(new Run<>(since, end, value));
        return all;
    }
}

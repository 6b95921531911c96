package trapline.replayer.times;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Time cut into windows of equal length from the first event on; each is closed when time has passed it.
public final class Windows {

    private static final int GROUPS = 1_000;
    private static final int ROWS = 100_000;

    private final long interval;
    private final Set<Dimension> dimensions;
    private final List<Window> closed = new ArrayList<>();
    private Groups groups;
    private long origin;
    private long from;
    private long exits;
    private long gaps;
    private boolean begun;
    private int rows;
    private long leftOut;

    /// What happened in a window, and how long what ended in it had taken.
    ///
    /// @param from the time of its beginning, after the trace's first event
    public record Window(
            long from, long to, long exits, long gaps, Map<Dimension, List<Row>> rows) {}

    Windows(long interval, Set<Dimension> dimensions) {
        this.interval = interval;
        this.dimensions = dimensions;
        groups = new Groups(dimensions, GROUPS);
    }

    /// The groups of the window that time is in; where it runs backwards, of the latest.
    void advance(long time) {
        if (!begun) {
            begun = true;
            origin = time;
        }
        long start = Math.max(from, (time - origin) / interval * interval);
        if (start != from) {
            close();
            from = start;
        }
    }

    Groups groups() {
        return groups;
    }

    void exit() {
        exits++;
    }

    void gap() {
        gaps++;
    }

    void close() {
        if (exits == 0 && gaps == 0 && isEmpty()) {
            return;
        }
        Map<Dimension, List<Row>> byDimension = new EnumMap<>(Dimension.class);
        for (Dimension dimension : groups.dimensions()) {
            List<Row> found = Rows.of(groups, dimension, Rows.Order.COUNT, false);
            rows += found.size();
            byDimension.put(dimension, found);
        }
        if (rows <= ROWS) {
            closed.add(new Window(from, from + interval, exits, gaps, byDimension));
        } else {
            leftOut++;
        }
        groups = new Groups(dimensions, GROUPS);
        exits = 0;
        gaps = 0;
    }

    private boolean isEmpty() {
        return groups.dimensions().stream().allMatch(groups::isEmpty);
    }

    /// Those in which something happened.
    public List<Window> closed() {
        return Collections.unmodifiableList(closed);
    }

    /// How many there were beyond those that are kept.
    public long leftOut() {
        return leftOut;
    }
}

package trapline.replayer.explore;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.LongFunction;

/// Exits of one vCPU by reason, counted in bins of events: in as much memory for ten events as for ten million.
///
/// A bin stands for a power of two of events; when the bins no longer reach, two become one.
final class Bins {

    private static final int MOST_REASONS = 32;
    private static final long OTHERS = Long.MIN_VALUE;

    private final int capacity;
    private final Map<Long, int[]> counts = new HashMap<>();
    private int shift;

    Bins(int capacity) {
        this.capacity = capacity;
    }

    /// An exit, whose event has this order number.
    void add(long order, long reason) {
        int bin = bin(order);
        int[] row = counts.get(reason);
        if (row == null) {
            long key = counts.size() < MOST_REASONS ? reason : OTHERS;
            row = counts.computeIfAbsent(key, _ -> new int[capacity]);
        }
        row[bin]++;
    }

    private int bin(long order) {
        while ((order - 1) >>> shift >= capacity) {
            counts.values().forEach(this::halve);
            shift++;
        }
        return (int) ((order - 1) >>> shift);
    }

    private void halve(int[] row) {
        for (int i = 0; i < capacity / 2; i++) {
            row[i] = row[2 * i] + row[2 * i + 1];
        }
        Arrays.fill(row, capacity / 2, capacity, 0);
    }

    /// Those that have an event of a range, in at most so many rows: the events behind `from` up to `to`, how many exits,
    /// and how many by reason.
    ///
    /// @param end the last event that was counted
    List<Object> rows(long from, long to, long end, int most, LongFunction<String> name) {
        List<Object> rows = new ArrayList<>();
        long until = Math.min(to, end);
        if (until <= from) {
            return rows;
        }
        int wide = shift;
        while (((until - 1) >>> wide) - (from >>> wide) >= most) {
            wide++;
        }
        for (long bin = from >>> wide; bin <= (until - 1) >>> wide; bin++) {
            rows.add(row(bin, wide, end, name));
        }
        return rows;
    }

    private List<Object> row(long bin, int wide, long end, LongFunction<String> name) {
        int first = (int) (bin << (wide - shift));
        int behind = (int) Math.min(capacity, (bin + 1) << (wide - shift));
        SortedMap<String, Long> byReason = new TreeMap<>();
        long exits = 0;
        for (Map.Entry<Long, int[]> reason : counts.entrySet()) {
            long count = 0;
            for (int i = first; i < behind; i++) {
                count += reason.getValue()[i];
            }
            exits += count;
            if (count > 0) {
                String text = reason.getKey() == OTHERS ? "other" : name.apply(reason.getKey());
                byReason.merge(text, count, Long::sum);
            }
        }
        SequencedMap<String, Object> named = new LinkedHashMap<>(byReason);
        return List.of(bin << wide, Math.min(end, (bin + 1) << wide), exits, named);
    }
}

package trapline.recorder.trace;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SortedMap;
import java.util.TreeMap;
import trapline.engine.event.Tracepoint;

/// The names of events by their bytes, and how often each was met.
final class EventNames {

    /// So many different names of other events are told apart.
    private static final int MOST_NAMES = 2_000;

    private static final String MORE_NAMES = "(others)";

    /// One event.
    static final class Name {
        final byte[] bytes;

        /// Null for an event that is not read.
        final Tracepoint point;

        long parsed;
        long skipped;

        Name(byte[] bytes, Tracepoint point) {
            this.bytes = bytes;
            this.point = point;
        }

        @Override
        public String toString() {
            return Text.escaped(bytes, 0, bytes.length);
        }
    }

    private final Name[] slots = new Name[1 << 13];
    private final Name others = new Name(MORE_NAMES.getBytes(StandardCharsets.UTF_8), null);
    private int names;

    EventNames() {
        for (Tracepoint point : Tracepoint.values()) {
            byte[] bytes = point.text().getBytes(StandardCharsets.UTF_8);
            slots[slot(bytes, 0, bytes.length)] = new Name(bytes, point);
        }
    }

    Name of(byte[] bytes, int from, int to) {
        int slot = slot(bytes, from, to);
        Name name = slots[slot];
        return name != null ? name : add(slot, bytes, from, to);
    }

    Name of(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return of(bytes, 0, bytes.length);
    }

    private Name add(int slot, byte[] bytes, int from, int to) {
        if (names == MOST_NAMES) {
            return others;
        }
        names++;
        byte[] copy = new byte[to - from];
        System.arraycopy(bytes, from, copy, 0, copy.length);
        slots[slot] = new Name(copy, null);
        return slots[slot];
    }

    private int slot(byte[] bytes, int from, int to) {
        int hash = 0;
        for (int i = from; i < to; i++) {
            hash = 31 * hash + bytes[i];
        }
        int slot = (hash ^ hash >>> 13) & slots.length - 1;
        while (slots[slot] != null && !holds(slot, bytes, from, to)) {
            slot = slot + 1 & slots.length - 1;
        }
        return slot;
    }

    private boolean holds(int slot, byte[] bytes, int from, int to) {
        byte[] name = slots[slot].bytes;
        return Arrays.equals(name, 0, name.length, bytes, from, to);
    }

    SortedMap<String, Long> parsed() {
        SortedMap<String, Long> counts = new TreeMap<>();
        for (Name name : slots) {
            if (name != null && name.parsed > 0) {
                counts.put(name.toString(), name.parsed);
            }
        }
        return counts;
    }

    SortedMap<String, Long> skipped() {
        SortedMap<String, Long> counts = new TreeMap<>();
        for (Name name : slots) {
            if (name != null && name.skipped > 0) {
                counts.merge(name.toString(), name.skipped, Long::sum);
            }
        }
        if (others.skipped > 0) {
            counts.put(MORE_NAMES, others.skipped);
        }
        return counts;
    }
}

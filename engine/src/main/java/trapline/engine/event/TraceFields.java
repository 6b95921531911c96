package trapline.engine.event;

import java.util.Arrays;

/// What a tracepoint told: values of those of its fields that the trace had.
public final class TraceFields {

    private final int present;
    private final long[] values;
    private final String text;

    private TraceFields(int present, long[] values, String text) {
        this.present = present;
        this.values = values;
        this.text = text;
    }

    /// Takes ownership of the array.
    ///
    /// @param present a bit for each field that there is, the first the lowest
    /// @param values theirs, in the order of the bits
    /// @param text what of it is text; empty where nothing is
    public static TraceFields of(int present, long[] values, String text) {
        if (Integer.bitCount(present) != values.length) {
            throw new IllegalArgumentException(
                    "%d fields but %d values".formatted(Integer.bitCount(present), values.length));
        }
        return new TraceFields(present, values, text);
    }

    public int present() {
        return present;
    }

    public boolean has(int field) {
        return field >= 0 && (present >>> field & 1) != 0;
    }

    /// The value of a field, or `otherwise` where the trace did not tell.
    public long value(int field, long otherwise) {
        return has(field) ? values[Integer.bitCount(present & ((1 << field) - 1))] : otherwise;
    }

    public int size() {
        return values.length;
    }

    /// The i-th of the values that there are.
    public long valueAt(int i) {
        return values[i];
    }

    /// The values that there are, in order.
    public long[] values() {
        return values.clone();
    }

    public String text() {
        return text;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TraceFields that
                && present == that.present
                && Arrays.equals(values, that.values)
                && text.equals(that.text);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * present + Arrays.hashCode(values)) + text.hashCode();
    }

    @Override
    public String toString() {
        return "TraceFields[0x%x, %s, '%s']".formatted(present, Arrays.toString(values), text);
    }
}

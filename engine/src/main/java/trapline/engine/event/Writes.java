package trapline.engine.event;

import java.util.Arrays;

/// What the processor itself stored in one transition: places and their new values, in order.
///
/// A place is a VMCS field encoding or a VMCB offset where it is not negative, and otherwise the
/// complement (`~`) of a register number of [Reg]. Only places whose value changed are listed.
public final class Writes {

    public static final Writes NONE = new Writes(new int[0], new long[0]);

    private final int[] places;
    private final long[] values;

    private Writes(int[] places, long[] values) {
        this.places = places;
        this.values = values;
    }

    /// Takes ownership of both arrays.
    public static Writes of(int[] places, long[] values) {
        if (places.length != values.length) {
            throw new IllegalArgumentException(
                    "%d places but %d values".formatted(places.length, values.length));
        }
        return places.length == 0 ? NONE : new Writes(places, values);
    }

    public int size() {
        return places.length;
    }

    public int place(int i) {
        return places[i];
    }

    public long value(int i) {
        return values[i];
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Writes that
                && Arrays.equals(places, that.places)
                && Arrays.equals(values, that.values);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(places) + Arrays.hashCode(values);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("[");
        for (int i = 0; i < places.length; i++) {
            text.append(i == 0 ? "" : ", ")
                    .append(places[i] < 0 ? Reg.name(~places[i]) : hex(places[i]))
                    .append('=')
                    .append(hex(values[i]));
        }
        return text.append(']').toString();
    }

    private static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }
}

package trapline.engine.event;

import java.util.Arrays;

/// MSRs with a value each, in order.
public final class MsrValues {

    public static final MsrValues NONE = new MsrValues(new int[0], new long[0]);

    private final int[] msrs;
    private final long[] values;

    private MsrValues(int[] msrs, long[] values) {
        this.msrs = msrs;
        this.values = values;
    }

    /// Takes ownership of both arrays.
    public static MsrValues of(int[] msrs, long[] values) {
        if (msrs.length != values.length) {
            throw new IllegalArgumentException(
                    "%d MSRs but %d values".formatted(msrs.length, values.length));
        }
        return msrs.length == 0 ? NONE : new MsrValues(msrs, values);
    }

    public int size() {
        return msrs.length;
    }

    public int msr(int i) {
        return msrs[i];
    }

    public long value(int i) {
        return values[i];
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MsrValues that
                && Arrays.equals(msrs, that.msrs)
                && Arrays.equals(values, that.values);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(msrs) + Arrays.hashCode(values);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("MsrValues[");
        for (int i = 0; i < msrs.length; i++) {
            text.append(i == 0 ? "" : ", ")
                    .append("0x")
                    .append(Integer.toHexString(msrs[i]))
                    .append("=0x")
                    .append(Long.toHexString(values[i]));
        }
        return text.append(']').toString();
    }
}

package trapline.engine.table;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/// The components of XSAVE state by bit: what each is called, how much room it takes, and which MSRs it holds.
///
/// XSAVES and XRSTORS reach those MSRs whatever any MSR bitmap says (FACTS 4.1).
public final class StateComponents {

    private static final int[] NO_MSRS = {};
    private static final int HEADER_END = 0x240;
    private static final Component[] BY_BIT = new Component[64];

    static {
        for (String[] row : Csv.rows("state_components.csv")) {
            int bit = Integer.parseInt(row[0]);
            int[] msrs =
                    row[4].isEmpty()
                            ? NO_MSRS
                            : Arrays.stream(row[4].split(" "))
                                    .mapToInt(msr -> Msrs.parse(msr).orElseThrow())
                                    .toArray();
            boolean aligned = row[3].equals("yes");
            BY_BIT[bit] = new Component(row[1], Integer.parseInt(row[2]), aligned, msrs);
        }
    }

    /// The components that IA32_XSS enables and that have a name here: supervisor state.
    public static final long SUPERVISOR = mask(8, 10, 11, 12, 13, 14, 15, 16);

    /// CET_USER and CET_KERNEL.
    public static final long CET = mask(11, 12);

    private StateComponents() {}

    @SuppressWarnings("ArrayRecordComponent") // read here only
    private record Component(String name, int size, boolean aligned, int[] msrs) {}

    private static long mask(int... bits) {
        return Arrays.stream(bits).mapToLong(bit -> 1L << bit).reduce(0, (a, b) -> a | b);
    }

    /// The MSRs that the components of a mask hold, lowest component first.
    public static int[] msrs(long components) {
        int[] all = NO_MSRS;
        for (long bits = components; bits != 0; bits &= bits - 1) {
            Component component = BY_BIT[Long.numberOfTrailingZeros(bits)];
            if (component != null && component.msrs.length != 0) {
                int[] more = Arrays.copyOf(all, all.length + component.msrs.length);
                System.arraycopy(component.msrs, 0, more, all.length, component.msrs.length);
                all = more;
            }
        }
        return all;
    }

    /// The bytes that one component takes in the compacted format; 0 for those that are unknown here.
    public static int size(int bit) {
        return BY_BIT[bit] == null ? 0 : BY_BIT[bit].size;
    }

    /// The bytes of a compacted area with all these components (`xstate_required_size`).
    public static int compactedSize(long components) {
        int end = HEADER_END;
        for (long bits = components; bits != 0; bits &= bits - 1) {
            Component component = BY_BIT[Long.numberOfTrailingZeros(bits)];
            if (component != null) {
                end = component.aligned ? (end + 63) & -64 : end;
                end += component.size;
            }
        }
        return end;
    }

    /// The names of supervisor components, as policies and platforms spell them.
    public static List<String> supervisorNames() {
        return names(SUPERVISOR);
    }

    /// The bit of a component's name, as a mask.
    public static long named(String name) {
        for (int bit = 0; bit < BY_BIT.length; bit++) {
            if (BY_BIT[bit] != null && BY_BIT[bit].name.equals(name)) {
                return 1L << bit;
            }
        }
        throw new IllegalArgumentException("no component " + name);
    }

    /// What the bits of a mask are called: a bit without a name by its number.
    public static List<String> names(long components) {
        List<String> names = new ArrayList<>();
        for (long bits = components; bits != 0; bits &= bits - 1) {
            int bit = Long.numberOfTrailingZeros(bits);
            names.add(BY_BIT[bit] == null ? Integer.toString(bit) : BY_BIT[bit].name);
        }
        return Collections.unmodifiableList(names);
    }
}

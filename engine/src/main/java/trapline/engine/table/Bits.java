package trapline.engine.table;

import java.util.Collections;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/// Named bits: of VMX controls, of SVM's intercept words, of MSRs.
public final class Bits {

    private static final TreeMap<String, Long> CONTROLS = new TreeMap<>();
    private static final TreeMap<String, TreeMap<String, Long>> GROUPS = new TreeMap<>();
    private static final TreeMap<String, Intercept> INTERCEPTS = new TreeMap<>();
    private static final TreeMap<Integer, TreeMap<Integer, String>> MSR_BITS = new TreeMap<>();

    static {
        for (String[] row : Csv.rows("vmx_controls.csv")) {
            long mask = 1L << Integer.parseInt(row[1]);
            CONTROLS.put(row[2], mask);
            GROUPS.computeIfAbsent(row[0], _ -> new TreeMap<>()).put(row[2], mask);
        }
        for (String[] row : Csv.rows("svm_intercepts.csv")) {
            INTERCEPTS.put(row[2], new Intercept(Csv.hex(row[0]), 1L << Integer.parseInt(row[1])));
        }
        for (String[] row : Csv.rows("msr_bits.csv")) {
            if (row[1].indexOf(':') < 0) {
                MSR_BITS.computeIfAbsent(Csv.hex(row[0]), _ -> new TreeMap<>())
                        .put(Integer.parseInt(row[1]), row[2]);
            }
        }
    }

    private Bits() {}

    /// One bit of an intercept word.
    ///
    /// @param offset the word's offset in the VMCB
    public record Intercept(int offset, long mask) {}

    /// The mask of a VMX control.
    public static long control(String name) {
        Long mask = CONTROLS.get(name);
        if (mask == null) {
            throw new IllegalStateException("no VMX control " + name);
        }
        return mask;
    }

    /// The VMX controls of one group: `pin`, `primary`, `secondary`, `tertiary`, `vm-exit`, `vm-entry`.
    public static SortedMap<String, Long> controls(String group) {
        return Collections.unmodifiableSortedMap(GROUPS.get(group));
    }

    public static boolean isControl(String name) {
        return CONTROLS.containsKey(name);
    }

    public static Set<String> controlNames() {
        return Collections.unmodifiableSet(CONTROLS.keySet());
    }

    public static boolean isIntercept(String name) {
        return INTERCEPTS.containsKey(name);
    }

    public static Set<String> interceptNames() {
        return Collections.unmodifiableSet(INTERCEPTS.keySet());
    }

    public static Intercept intercept(String name) {
        Intercept intercept = INTERCEPTS.get(name);
        if (intercept == null) {
            throw new IllegalStateException("no SVM intercept " + name);
        }
        return intercept;
    }

    /// The mask of a named bit of an MSR, or 0 where the tables have no such bit.
    public static long msrBit(int msr, String name) {
        for (var bit : MSR_BITS.getOrDefault(msr, new TreeMap<>()).entrySet()) {
            if (bit.getValue().equals(name) || bit.getValue().startsWith(name + " ")) {
                return 1L << bit.getKey();
            }
        }
        return 0;
    }

    /// The names of the bits that are set, for people: `IBRS|SSBD`.
    public static String describe(int msr, long value) {
        TreeMap<Integer, String> names = MSR_BITS.get(msr);
        if (names == null || value == 0) {
            return "";
        }
        StringBuilder text = new StringBuilder();
        for (int bit = 0; bit < 64; bit++) {
            if ((value >>> bit & 1) != 0) {
                String name = names.getOrDefault(bit, "bit " + bit);
                text.append(text.isEmpty() ? "" : "|").append(name.split(" \\(")[0]);
            }
        }
        return text.toString();
    }
}

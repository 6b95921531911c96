package trapline.engine.table;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.TreeMap;

/// Model-specific registers by index and by name: one canonical name per index, Linux's without `MSR_`.
public final class Msrs {

    // spotless:off
    public static final int TSC              = index("IA32_TSC");
    public static final int SPEC_CTRL        = index("IA32_SPEC_CTRL");
    public static final int PRED_CMD         = index("IA32_PRED_CMD");
    public static final int ARCH_CAPABILITIES = index("IA32_ARCH_CAPABILITIES");
    public static final int FLUSH_CMD        = index("IA32_FLUSH_CMD");
    public static final int SYSENTER_CS      = index("IA32_SYSENTER_CS");
    public static final int SYSENTER_ESP     = index("IA32_SYSENTER_ESP");
    public static final int SYSENTER_EIP     = index("IA32_SYSENTER_EIP");
    public static final int DEBUGCTL         = index("IA32_DEBUGCTLMSR");
    public static final int PAT              = index("IA32_CR_PAT");
    public static final int EFER             = index("EFER");
    public static final int STAR             = index("STAR");
    public static final int LSTAR            = index("LSTAR");
    public static final int CSTAR            = index("CSTAR");
    public static final int SYSCALL_MASK     = index("SYSCALL_MASK");
    public static final int FS_BASE          = index("FS_BASE");
    public static final int GS_BASE          = index("GS_BASE");
    public static final int KERNEL_GS_BASE   = index("KERNEL_GS_BASE");
    public static final int TSC_AUX          = index("TSC_AUX");
    public static final int VM_HSAVE_PA      = index("VM_HSAVE_PA");
    public static final int VIRT_SPEC_CTRL   = index("AMD64_VIRT_SPEC_CTRL");
    public static final int LS_CFG           = index("AMD64_LS_CFG");
    public static final int RTIT_OUTPUT_BASE = index("IA32_RTIT_OUTPUT_BASE");
    public static final int RTIT_OUTPUT_MASK = index("IA32_RTIT_OUTPUT_MASK");
    public static final int RTIT_CTL         = index("IA32_RTIT_CTL");
    public static final int RTIT_STATUS      = index("IA32_RTIT_STATUS");
    public static final int RTIT_CR3_MATCH   = index("IA32_RTIT_CR3_MATCH");
    public static final int RTIT_ADDR0_A     = index("IA32_RTIT_ADDR0_A");
    public static final int VIRTUAL_ENUMERATION = index("VIRTUAL_ENUMERATION");
    public static final int VIRTUAL_MITIGATION_ENUM = index("VIRTUAL_MITIGATION_ENUM");
    public static final int VIRTUAL_MITIGATION_CTRL = index("VIRTUAL_MITIGATION_CTRL");
    public static final int U_CET            = index("IA32_U_CET");
    public static final int S_CET            = index("IA32_S_CET");
    public static final int PL0_SSP          = index("IA32_PL0_SSP");
    public static final int PL1_SSP          = index("IA32_PL1_SSP");
    public static final int PL2_SSP          = index("IA32_PL2_SSP");
    public static final int PL3_SSP          = index("IA32_PL3_SSP");
    public static final int INT_SSP_TAB      = index("IA32_INT_SSP_TAB");
    public static final int PASID            = index("IA32_PASID");
    public static final int XSS              = index("IA32_XSS");
    public static final int HWP_REQUEST      = index("HWP_REQUEST");
    // spotless:on

    private Msrs() {}

    /// The canonical name, or `0x…` where the tables have none.
    public static String name(int index) {
        int at = Arrays.binarySearch(Table.INDICES, Integer.toUnsignedLong(index));
        return at < 0 ? "0x" + Integer.toHexString(index) : Table.NAMES[at];
    }

    /// Whether it is one of Intel Processor Trace's.
    public static boolean trace(int index) {
        return index == RTIT_OUTPUT_BASE
                || index == RTIT_OUTPUT_MASK
                || (index >= RTIT_CTL && index <= RTIT_CR3_MATCH)
                || (index >= RTIT_ADDR0_A && index < RTIT_ADDR0_A + 8);
    }

    /// Whether KVM keeps a value for it (its lists of MSRs to save and of emulated MSRs).
    public static boolean tracked(int index) {
        int at = Arrays.binarySearch(Table.INDICES, Integer.toUnsignedLong(index));
        return at >= 0 && Table.TRACKED[at];
    }

    /// The index that a user means: a canonical name or an alias, in any case, with or without `MSR_`
    /// and `IA32_`, or a number, decimal or after `0x` hexadecimal.
    public static OptionalInt parse(String text) {
        if (!text.isEmpty() && Character.isDigit(text.charAt(0))) {
            return number(text);
        }
        String name = text.toUpperCase(Locale.ROOT);
        if (name.startsWith("MSR_")) {
            name = name.substring(4);
        }
        Integer index = Table.BY_NAME.get(name);
        if (index == null) {
            index = Table.BY_NAME.get("IA32_" + name);
        }
        return index == null ? OptionalInt.empty() : OptionalInt.of(index);
    }

    private static OptionalInt number(String text) {
        try {
            long value =
                    text.startsWith("0x") || text.startsWith("0X")
                            ? Long.parseUnsignedLong(text.substring(2), 16)
                            : Long.parseLong(text);
            return value >>> 32 == 0 ? OptionalInt.of((int) value) : OptionalInt.empty();
        } catch (NumberFormatException e) {
            return OptionalInt.empty();
        }
    }

    /// Every canonical name, for suggestions.
    public static List<String> names() {
        return List.of(Table.NAMES);
    }

    private static int index(String name) {
        return Table.BY_NAME.get(name);
    }

    /// The table itself, loaded with its first use.
    private static final class Table {
        static final long[] INDICES;
        static final String[] NAMES;
        static final boolean[] TRACKED;
        static final TreeMap<String, Integer> BY_NAME = new TreeMap<>();

        static {
            List<String[]> rows = Csv.rows("msrs.csv");
            INDICES = new long[rows.size()];
            NAMES = new String[rows.size()];
            TRACKED = new boolean[rows.size()];
            for (int i = 0; i < rows.size(); i++) {
                String[] row = rows.get(i);
                int index = Csv.hex(row[0]);
                INDICES[i] = Integer.toUnsignedLong(index);
                NAMES[i] = row[1];
                TRACKED[i] = row[3].equals("yes");
                BY_NAME.put(row[1].toUpperCase(Locale.ROOT), index);
                if (!row[2].isEmpty()) {
                    for (String alias : row[2].split(" ")) {
                        BY_NAME.putIfAbsent(alias.toUpperCase(Locale.ROOT), index);
                    }
                }
            }
        }
    }
}

package trapline.engine.table;

import java.util.TreeMap;

/// Exit reasons and codes by number, named as `kvm_exit` prints them.
public final class ExitReasons {

    private static final TreeMap<Long, String> VMX = new TreeMap<>();
    private static final TreeMap<Long, String> SVM = new TreeMap<>();
    private static final TreeMap<Integer, String> USERSPACE = new TreeMap<>();

    static {
        for (String[] row : Csv.rows("vmx_exit_reasons.csv")) {
            VMX.put(Long.parseLong(row[0]), row[1]);
        }
        for (String[] row : Csv.rows("svm_exit_codes.csv")) {
            SVM.put(Long.parseUnsignedLong(row[0].substring(2), 16), row[1]);
        }
        for (String[] row : Csv.rows("userspace_exit_reasons.csv")) {
            USERSPACE.put(Integer.parseInt(row[0]), row[1]);
        }
    }

    private ExitReasons() {}

    /// The symbol of the basic reason, with the flag text that KVM adds for a failed entry.
    public static String vmx(long reason) {
        String name = VMX.getOrDefault(reason & 0xffff, "0x" + Long.toHexString(reason & 0xffff));
        long flags = reason & 0xffff_0000L;
        if (flags == 0) {
            return name;
        }
        return name + (flags == 1L << 31 ? " FAILED_VMENTRY" : " 0x" + Long.toHexString(flags));
    }

    public static String svm(long code) {
        return SVM.getOrDefault(code, "0x" + Long.toHexString(code));
    }

    /// The name of a KVM_EXIT reason.
    public static String userspace(int reason) {
        return USERSPACE.getOrDefault(reason, "0x" + Integer.toHexString(reason));
    }
}

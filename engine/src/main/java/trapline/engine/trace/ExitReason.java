package trapline.engine.trace;

import java.util.Map;
import java.util.TreeMap;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;
import trapline.engine.table.Csv;

/// Why a guest exited: a symbol of one vendor's, from which the vendor follows, or a number.
///
/// @param flagged whether the tree prints the flags of a VMX reason apart from it
record ExitReason(int reason, int isa, boolean flagged) implements Part {

    private static final long FAILED = 1L << 31;
    private static final byte[] FAILED_VMENTRY = Parts.bytes("FAILED_VMENTRY");
    private static final byte[] UNKNOWN = Parts.bytes("UNKNOWN (");
    private static final Symbols VMX_PRINTED = Symbols.of("vmx");
    private static final Symbols SVM_PRINTED = Symbols.of("svm");
    private static final Symbols VMX = VMX_PRINTED.with(vmxAliases());
    private static final Symbols SVM = SVM_PRINTED.with(svmAliases());

    static ExitReason of(Tracepoint point, boolean flagged) {
        return new ExitReason(Form.field(point, "reason"), Form.field(point, "isa"), flagged);
    }

    /// Names of reasons that kernels had before, or that our own tables have and KVM prints as numbers.
    private static Map<String, Long> vmxAliases() {
        Map<String, Long> names = new TreeMap<>();
        for (String[] row : Csv.rows("vmx_exit_reasons.csv")) {
            names.put(row[1], Long.parseLong(row[0]));
        }
        names.put("PENDING_INTERRUPT", 7L);
        return names;
    }

    /// The names of trace-cmd's plugin: the kernel's constants without `SVM_`.
    private static Map<String, Long> svmAliases() {
        Map<String, Long> names = new TreeMap<>();
        for (String[] row : Csv.rows("svm_exit_codes.csv")) {
            long code = Long.parseUnsignedLong(row[0].substring(2), 16);
            names.put(row[1], code);
            if (row[2].startsWith("SVM_EXIT_")) {
                names.put(row[2].substring("SVM_".length()), code);
            }
        }
        return names;
    }

    @Override
    public boolean read(Scan scan) {
        if (scan.prefix()) {
            if (!scan.hex()) {
                return false;
            }
            scan.put(reason, scan.number);
        } else if (!named(scan)) {
            return false;
        }
        return flags(scan);
    }

    private boolean named(Scan scan) {
        int to = scan.wordEnd();
        if (VMX.read(scan, to)) {
            scan.put(isa, 1);
        } else if (SVM.read(scan, to)) {
            scan.put(isa, 2);
        } else {
            return scan.literal(UNKNOWN) && unknown(scan);
        }
        scan.put(reason, scan.number);
        return true;
    }

    private boolean unknown(Scan scan) {
        if (!scan.unsigned() || !scan.next(')')) {
            return false;
        }
        scan.put(reason, scan.number);
        return true;
    }

    /// Only VMX has flags, so they tell the vendor where the symbol could not.
    private boolean flags(Scan scan) {
        int before = scan.at;
        if (!scan.next(' ')) {
            return true;
        }
        do {
            if (scan.literal(FAILED_VMENTRY)) {
                scan.number = FAILED;
            } else if (!scan.prefix() || !scan.hex()) {
                scan.at = before;
                return true;
            }
            scan.put(reason, scan.value(reason) | scan.number);
            scan.put(isa, 1);
            before = scan.at;
        } while (scan.next('|'));
        return true;
    }

    @Override
    public void print(TraceFields fields, TraceTree tree, StringBuilder out) {
        long number = fields.value(reason, 0);
        long vendor = fields.value(isa, 0);
        if (vendor == 1 && flagged) {
            symbol(VMX_PRINTED, number & 0xffff, tree, out);
            long flags = number & 0xffff_0000L;
            if (flags != 0) {
                out.append(' ').append(flags(flags));
            }
        } else if (vendor == 2) {
            symbol(SVM_PRINTED, number, tree, out);
        } else {
            symbol(vendor == 1 ? VMX_PRINTED : null, number, tree, out);
        }
    }

    private static String flags(long flags) {
        long others = flags & ~FAILED;
        String failed = (flags & FAILED) == 0 ? "" : "FAILED_VMENTRY";
        String join = failed.isEmpty() || others == 0 ? "" : "|";
        return failed + join + (others == 0 ? "" : "0x" + Long.toHexString(others));
    }

    private static void symbol(Symbols symbols, long value, TraceTree tree, StringBuilder out) {
        String name = symbols == null ? null : symbols.name(value, tree);
        out.append(name == null ? "0x" + Long.toHexString(value) : name);
    }

    @Override
    public int needs() {
        return 1 << reason;
    }

    @Override
    public int tells() {
        return 1 << reason | 1 << isa;
    }
}

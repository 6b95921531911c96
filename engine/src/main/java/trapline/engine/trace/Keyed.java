package trapline.engine.trace;

import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;

/// Texts of keys and values of which any may be missing: what older kernels, plugins and people print of an exit.
final class Keyed {

    private final int vcpu;
    private final int rip;
    private final int info1;
    private final int info2;
    private final int intrInfo;
    private final int errorCode;
    private final int requests;
    private final int immediateExit;
    private final ExitReason reason;

    private String problem = "";

    private Keyed(Tracepoint point) {
        vcpu = point.field("vcpu");
        rip = point.field("rip");
        info1 = point.field("info1");
        info2 = point.field("info2");
        intrInfo = point.field("intrInfo");
        errorCode = point.field("errorCode");
        requests = point.field("requests");
        immediateExit = point.field("immediateExit");
        reason = point.field("reason") < 0 ? null : ExitReason.of(point, true);
    }

    /// For a tracepoint whose texts are of that kind; null for others.
    static Keyed of(Tracepoint point) {
        return switch (point) {
            case KVM_ENTRY, KVM_EXIT, KVM_NESTED_VMEXIT, KVM_NESTED_VMEXIT_INJECT ->
                    new Keyed(point);
            default -> null;
        };
    }

    String problem() {
        return problem;
    }

    boolean read(Scan scan) {
        problem = "";
        while (!scan.atEnd()) {
            if (!pair(scan)) {
                return false;
            }
            scan.next(',');
            scan.blanks();
        }
        if (reason != null && !scan.has(reason.reason())) {
            problem = "expected a reason, found none";
            return false;
        }
        return scan.anything();
    }

    private boolean pair(Scan scan) {
        int from = scan.at;
        int to = scan.wordEnd();
        String key = scan.string(from, to);
        scan.at = to;
        scan.next(':');
        if (key.startsWith("[immediate") && immediateExit >= 0) {
            return immediate(scan);
        }
        if (!scan.next(' ')) {
            problem = "expected a value after '%s', found the end".formatted(key);
            return false;
        }
        scan.blanks();
        boolean read =
                switch (key) {
                    case "vcpu" -> scan.unsigned() && put(scan, vcpu);
                    case "reason" -> reason != null && reason.read(scan);
                    case "rip" -> hex(scan, rip);
                    case "info" -> hex(scan, info1) && second(scan);
                    case "info1", "ext_inf1" -> hex(scan, info1);
                    case "info2", "ext_inf2" -> hex(scan, info2);
                    case "intr_info", "int_info", "ext_int" -> hex(scan, intrInfo);
                    case "error_code", "int_info_err", "ext_int_err" -> hex(scan, errorCode);
                    case "requests" -> hex(scan, requests);
                    default -> false;
                };
        if (!read && problem.isEmpty()) {
            String found = scan.string(scan.at, Math.max(scan.at, scan.wordEnd()));
            problem =
                    key.equals("reason")
                            ? "expected an exit reason, found '%s'".formatted(found)
                            : "expected a key and its value, found '%s %s'".formatted(key, found);
        }
        return read;
    }

    /// The second of two values, which may be cut off.
    private boolean second(Scan scan) {
        if (scan.atEnd()) {
            return true;
        }
        return scan.next(' ') && hex(scan, info2);
    }

    private boolean immediate(Scan scan) {
        scan.blanks();
        scan.at = scan.wordEnd();
        scan.put(immediateExit, 1);
        return true;
    }

    private static boolean hex(Scan scan, int field) {
        scan.prefix();
        return scan.hex() && put(scan, field) && (scan.atEnd() || ends(scan.bytes[scan.at]));
    }

    private static boolean ends(byte c) {
        return c == ' ' || c == ',' || c == '[';
    }

    private static boolean put(Scan scan, int field) {
        if (field < 0) {
            return false;
        }
        scan.put(field, scan.number);
        return true;
    }

    /// As a line with just the fields that there are.
    String print(TraceFields fields, TraceTree tree) {
        StringBuilder out = new StringBuilder();
        if (fields.has(vcpu)) {
            out.append(" vcpu ").append(fields.value(vcpu, 0)).append(reason == null ? "," : "");
        }
        if (reason != null && fields.has(reason.reason())) {
            reason.print(fields, tree, out.append(" reason "));
        }
        hex(fields, rip, " rip 0x", 1, out);
        hex(fields, info1, " info1 0x", 16, out);
        hex(fields, info2, " info2 0x", 16, out);
        hex(fields, intrInfo, " intr_info 0x", 8, out);
        hex(fields, errorCode, " error_code 0x", 8, out);
        hex(fields, requests, " requests 0x", 16, out);
        if (fields.value(immediateExit, 0) != 0) {
            out.append("[immediate exit]");
        }
        return out.substring(Math.min(1, out.length()));
    }

    private static void hex(
            TraceFields fields, int field, String key, int digits, StringBuilder out) {
        if (fields.has(field)) {
            out.append(key);
            new Parts.Hex(Parts.Bits.all(field), digits).print(fields, TraceTree.V7_1, out);
        }
    }
}

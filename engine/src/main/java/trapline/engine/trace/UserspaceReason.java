package trapline.engine.trace;

import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;
import trapline.engine.table.ExitReasons;

/// Why KVM returned to userspace: `NAME (number)`, where the number is an errno if it was an error.
record UserspaceReason(int reason, int errno) implements Part {

    private static final long EINTR = 4;
    private static final byte[] RESTART = Parts.bytes("restart (");
    private static final byte[] ERROR = Parts.bytes("error (");

    static UserspaceReason of(Tracepoint point) {
        return new UserspaceReason(Form.field(point, "reason"), Form.field(point, "errno"));
    }

    @Override
    public boolean read(Scan scan) {
        boolean failed = scan.literal(RESTART) || scan.literal(ERROR);
        if (!failed) {
            scan.at = scan.wordEnd();
            if (!scan.next(' ') || !scan.next('(')) {
                return false;
            }
        }
        if (!scan.unsigned() || !scan.next(')')) {
            return false;
        }
        if (failed) {
            scan.put(errno, -scan.number);
        } else {
            scan.put(reason, scan.number);
        }
        return true;
    }

    @Override
    public void print(TraceFields fields, TraceTree tree, StringBuilder out) {
        long error = -fields.value(errno, 0);
        if (error > 0) {
            out.append(error == EINTR ? "restart" : "error");
            out.append(" (").append(error).append(')');
        } else {
            long number = fields.value(reason, 0);
            out.append(name(number, tree)).append(" (").append(number).append(')');
        }
    }

    /// KVM's table of names ends with 30 in all trees, with 27 in the first.
    private static String name(long number, TraceTree tree) {
        long last = tree == TraceTree.V5_4 ? 27 : 30;
        return number <= last
                ? ExitReasons.userspace((int) number)
                : "0x" + Long.toHexString(number);
    }

    @Override
    public int tells() {
        return 1 << reason | 1 << errno;
    }
}

package trapline.engine.trace;

import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;

/// An exception with its error code.
///
/// Before 6.1 a code is printed for each exception, 0 if it has none: whether a text with code 0 had one, nobody can
/// tell, nor whether the tree would have said that it was injected again.
record InjectedException(int exception, int hasError, int errorCode, int reinjected, TraceTree form)
        implements Part {

    private static final Symbols NAMES = Symbols.of("exception");
    private static final byte[] CODE = Parts.bytes(" (0x");
    private static final byte[] AGAIN = Parts.bytes(" [reinjected]");

    static InjectedException of(Tracepoint point, TraceTree form) {
        return new InjectedException(
                Form.field(point, "exception"),
                Form.field(point, "hasError"),
                Form.field(point, "errorCode"),
                Form.field(point, "reinjected"),
                form);
    }

    @Override
    public boolean read(Scan scan) {
        if (!(scan.prefix() ? scan.hex() : NAMES.read(scan, scan.wordEnd()))) {
            return false;
        }
        scan.put(exception, scan.number);
        boolean code = scan.literal(CODE);
        if (code) {
            if (!scan.hex() || !scan.next(')')) {
                return false;
            }
            scan.put(errorCode, scan.number);
        }
        if (!code || scan.number != 0) {
            scan.put(hasError, code ? 1 : 0);
        }
        boolean again = scan.literal(AGAIN);
        if (again || !code) {
            scan.put(reinjected, again ? 1 : 0);
        }
        return true;
    }

    @Override
    public void print(TraceFields fields, TraceTree tree, StringBuilder out) {
        long vector = fields.value(exception, 0);
        String name = NAMES.name(vector, tree);
        out.append(name == null ? "0x" + Long.toHexString(vector) : name);
        boolean code = fields.value(hasError, fields.has(errorCode) ? 1 : 0) != 0;
        if (code || form != TraceTree.V6_1) {
            out.append(" (0x")
                    .append(Long.toHexString(code ? fields.value(errorCode, 0) : 0))
                    .append(')');
        }
        if (form != TraceTree.V5_4 && fields.value(reinjected, 0) != 0) {
            out.append(" [reinjected]");
        }
    }

    @Override
    public int needs() {
        return 1 << exception;
    }

    @Override
    public int tells() {
        int all = 1 << exception | 1 << errorCode;
        return switch (form) {
            case V5_4 -> all;
            case V5_15 -> all | 1 << reinjected;
            default -> all | 1 << reinjected | 1 << hasError;
        };
    }
}

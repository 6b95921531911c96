package trapline.engine.trace;

import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;

/// The pieces of a form that have code of their own, by name.
final class Pieces {

    private Pieces() {}

    static Part named(Tracepoint point, String name) {
        return switch (name) {
            case "reason" -> ExitReason.of(point, false);
            case "flagged" -> ExitReason.of(point, true);
            case "more" -> more(point);
            case "early" -> early(point);
            case "grown" -> grown(point);
            case "pgd" -> pageTable(point);
            case "destination" -> new Destination(Form.field(point, "address"));
            case "userspace" -> UserspaceReason.of(point);
            case "exception" -> InjectedException.of(point, TraceTree.V6_1);
            case "exception15" -> InjectedException.of(point, TraceTree.V5_15);
            case "exception4" -> InjectedException.of(point, TraceTree.V5_4);
            case "insn" -> InstructionBytes.of(point);
            case "inhibited" -> new Inhibits(Form.field(point, "inhibits"));
            case "failure" -> new EntryFailure(Form.field(point, "err"));
            default -> throw new IllegalArgumentException(name);
        };
    }

    private static Part more(Tracepoint point) {
        int count = Form.field(point, "count");
        return Parts.Derived.of(
                1 << count, f -> f.value(count, 0) > 1 ? " (...)" : " ", " (...)", " ", "");
    }

    private static Part early(Tracepoint point) {
        int delta = Form.field(point, "delta");
        return Parts.Derived.of(
                1 << delta, f -> f.value(delta, 0) < 0 ? "early" : "late", "early", "late");
    }

    private static Part grown(Tracepoint point) {
        int before = Form.field(point, "old");
        int after = Form.field(point, "new");
        return Parts.Derived.of(
                1 << before | 1 << after,
                f -> f.value(before, 0) < f.value(after, 0) ? "growed" : "shrinked",
                "growed",
                "shrinked");
    }

    /// Which page table the guest's is follows from the vendor and from whether it is nested.
    private static Part pageTable(Tracepoint point) {
        int isa = Form.field(point, "isa");
        int nested = Form.field(point, "tdpEnabled");
        return Parts.Derived.of(
                1 << isa | 1 << nested,
                f ->
                        f.value(nested, 0) == 0
                                ? "guest_cr3"
                                : f.value(isa, 1) == 1 ? "nested_eptp" : "nested_cr3",
                "guest_cr3",
                "nested_eptp",
                "nested_cr3");
    }

    /// The destination of an MSI, out of two places in its address.
    private record Destination(int field) implements Part {

        @Override
        public boolean read(Scan scan) {
            if (!scan.hex()) {
                return false;
            }
            scan.put(field, 12, scan.number & 0xff);
            scan.put(field, 32, scan.number & 0xffff_ff00L);
            return true;
        }

        @Override
        public void print(TraceFields fields, TraceTree tree, StringBuilder out) {
            long address = fields.value(field, 0);
            out.append(Long.toHexString((address >>> 12 & 0xff) | (address >>> 32 & 0xffff_ff00L)));
        }

        @Override
        public int needs() {
            return 1 << field;
        }
    }

    /// The names of inhibitions, which say again what the number before them said.
    private record Inhibits(int field) implements Part {

        @Override
        public boolean read(Scan scan) {
            if (scan.next(' ')) {
                while (!scan.atEnd() && named(scan.bytes[scan.at])) {
                    scan.at++;
                }
            }
            return true;
        }

        private static boolean named(byte c) {
            return c == '_' || c == '|' || Character.isLetterOrDigit(c);
        }

        @Override
        public void print(TraceFields fields, TraceTree tree, StringBuilder out) {
            long inhibits = fields.value(field, 0);
            if (inhibits != 0) {
                out.append(' ').append(Symbols.of("inhibit").flags(inhibits, tree));
            }
        }

        @Override
        public int needs() {
            return 1 << field;
        }
    }
}

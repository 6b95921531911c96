package trapline.engine.trace;

import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;

/// The bytes of an instruction, the first the lowest of two numbers of eight bytes each.
record InstructionBytes(int len, int low, int high) implements Part {

    private static final int MOST = 15;

    static InstructionBytes of(Tracepoint point) {
        return new InstructionBytes(
                Form.field(point, "len"),
                Form.field(point, "insnLow"),
                Form.field(point, "insnHigh"));
    }

    @Override
    public boolean read(Scan scan) {
        scan.blanks();
        int count = 0;
        long first = 0;
        long second = 0;
        int before = scan.at;
        while (count < MOST && scan.hex()) {
            if (scan.at - before > 2) {
                return false;
            }
            if (count < 8) {
                first |= scan.number << (8 * count);
            } else {
                second |= scan.number << (8 * (count - 8));
            }
            count++;
            before = scan.at + 1;
            if (!scan.next(' ')) {
                break;
            }
        }
        if (count > 0 && scan.bytes[scan.at - 1] == ' ') {
            scan.at--;
        }
        scan.put(len, count);
        scan.put(low, first);
        scan.put(high, second);
        return true;
    }

    @Override
    public void print(TraceFields fields, TraceTree tree, StringBuilder out) {
        long count = Math.min(MOST, fields.value(len, 0));
        for (int i = 0; i < count; i++) {
            long eight = fields.value(i < 8 ? low : high, 0);
            int value = (int) (eight >>> (8 * (i & 7))) & 0xff;
            out.append(i == 0 ? "" : " ");
            out.append(Character.forDigit(value >> 4, 16))
                    .append(Character.forDigit(value & 15, 16));
        }
    }

    @Override
    public int needs() {
        return 1 << len | 1 << low | 1 << high;
    }
}

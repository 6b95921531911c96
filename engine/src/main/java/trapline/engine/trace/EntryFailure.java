package trapline.engine.trace;

import trapline.engine.event.TraceFields;

/// Why a nested entry failed: KVM's own words, and at their end the error of the processor if it was one.
record EntryFailure(int err) implements Part {

    private static final Symbols ERRORS = Symbols.of("entry-error");

    @Override
    public boolean read(Scan scan) {
        int from = scan.at;
        int last = scan.end;
        while (last > from && scan.bytes[last - 1] != ' ') {
            last--;
        }
        scan.at = last;
        boolean found =
                last > from
                        && scan.bytes[last - 1] == ' '
                        && (last - 2 >= from && scan.bytes[last - 2] == ':')
                        && (scan.prefix()
                                ? scan.hex() && scan.atEnd()
                                : ERRORS.read(scan, scan.end));
        if (found) {
            scan.put(err, scan.number);
        }
        scan.text = scan.string(from, found ? last : scan.end);
        scan.at = scan.end;
        return scan.end > from;
    }

    @Override
    public void print(TraceFields fields, TraceTree tree, StringBuilder out) {
        out.append(fields.text());
        long error = fields.value(err, 0);
        if (error != 0) {
            String name = ERRORS.name(error, tree);
            out.append(name == null ? "0x" + Long.toHexString(error) : name);
        }
    }

    @Override
    public int tells() {
        return 1 << err;
    }
}

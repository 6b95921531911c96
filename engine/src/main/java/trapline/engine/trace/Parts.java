package trapline.engine.trace;

import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import trapline.engine.event.TraceFields;

/// The pieces that many forms have.
final class Parts {

    private Parts() {}

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /// Text that is always there.
    record Literal(String text, byte[] bytes) implements Part {

        Literal(String text) {
            this(text, Parts.bytes(text));
        }

        @Override
        public boolean read(Scan scan) {
            return scan.literal(bytes);
        }

        @Override
        public void print(TraceFields fields, TraceTree tree, StringBuilder out) {
            out.append(text);
        }
    }

    /// A field, or some of its bits.
    record Bits(int field, int shift, int width) {

        static Bits all(int field) {
            return new Bits(field, 0, 64);
        }

        void put(Scan scan, long value) {
            if (width == 64) {
                scan.put(field, value);
            } else {
                scan.put(field, shift, value);
            }
        }

        long of(TraceFields fields) {
            long value = fields.value(field, 0) >>> shift;
            return width == 64 ? value : value & (1L << width) - 1;
        }

        int mask() {
            return 1 << field;
        }
    }

    /// A number in hexadecimal, with leading zeros up to `digits`.
    record Hex(Bits bits, int digits) implements Part {

        @Override
        public boolean read(Scan scan) {
            if (!scan.hex()) {
                return false;
            }
            bits.put(scan, scan.number);
            return true;
        }

        @Override
        public void print(TraceFields fields, TraceTree tree, StringBuilder out) {
            String hex = Long.toHexString(bits.of(fields));
            out.repeat("0", Math.max(0, digits - hex.length())).append(hex);
        }

        @Override
        public int needs() {
            return bits.mask();
        }
    }

    /// A number as `%#lx` prints it: with a prefix unless it is zero.
    record Alternate(Bits bits) implements Part {

        @Override
        public boolean read(Scan scan) {
            scan.prefix();
            if (!scan.hex()) {
                return false;
            }
            bits.put(scan, scan.number);
            return true;
        }

        @Override
        public void print(TraceFields fields, TraceTree tree, StringBuilder out) {
            long value = bits.of(fields);
            out.append(value == 0 ? "" : "0x").append(Long.toHexString(value));
        }

        @Override
        public int needs() {
            return bits.mask();
        }
    }

    record Decimal(Bits bits, boolean signed) implements Part {

        @Override
        public boolean read(Scan scan) {
            if (!(signed ? scan.signed() : scan.unsigned())) {
                return false;
            }
            bits.put(scan, scan.number);
            return true;
        }

        @Override
        public void print(TraceFields fields, TraceTree tree, StringBuilder out) {
            long value = bits.of(fields);
            out.append(signed ? Long.toString(value) : Long.toUnsignedString(value));
        }

        @Override
        public int needs() {
            return bits.mask();
        }
    }

    /// One text for each value from 0 on; a longer one is tried before what it begins with.
    record Choice(Bits bits, List<String> texts, byte[][] bytes, int[] order) implements Part {

        static Choice of(Bits bits, List<String> texts) {
            return new Choice(
                    bits,
                    texts,
                    texts.stream().map(Parts::bytes).toArray(byte[][]::new),
                    longestFirst(texts));
        }

        private static int[] longestFirst(List<String> texts) {
            return IntStream.range(0, texts.size())
                    .boxed()
                    .sorted(Comparator.comparingInt(i -> -texts.get(i).length()))
                    .mapToInt(Integer::intValue)
                    .toArray();
        }

        @Override
        public boolean read(Scan scan) {
            for (int i : order) {
                if (scan.literal(bytes[i])) {
                    bits.put(scan, i);
                    return true;
                }
            }
            return false;
        }

        @Override
        public void print(TraceFields fields, TraceTree tree, StringBuilder out) {
            int last = texts.size() - 1;
            out.append(texts.get((int) Math.min(last, Math.max(0, bits.of(fields)))));
        }

        @Override
        public int needs() {
            return bits.mask();
        }
    }

    /// Text that is there where the field is set. Where it is not, the text does not tell whether its tree knows the field.
    record Flag(Bits bits, Literal literal) implements Part {

        @Override
        public boolean read(Scan scan) {
            if (literal.read(scan)) {
                bits.put(scan, 1);
            }
            return true;
        }

        @Override
        public void print(TraceFields fields, TraceTree tree, StringBuilder out) {
            if (bits.of(fields) != 0) {
                literal.print(fields, tree, out);
            }
        }

        @Override
        public int needs() {
            return 0;
        }

        @Override
        public int tells() {
            return bits.mask();
        }
    }

    /// A name out of a table, or the number in hexadecimal where the table has none.
    record Symbol(Bits bits, Symbols symbols) implements Part {

        @Override
        public boolean read(Scan scan) {
            if (!(scan.prefix() ? scan.hex() : symbols.read(scan, scan.wordEnd()))) {
                return false;
            }
            bits.put(scan, scan.number);
            return true;
        }

        @Override
        public void print(TraceFields fields, TraceTree tree, StringBuilder out) {
            long value = bits.of(fields);
            String name = symbols.name(value, tree);
            out.append(name == null ? "0x" + Long.toHexString(value) : name);
        }

        @Override
        public int needs() {
            return bits.mask();
        }
    }

    /// One of some texts, that follows from fields which are told elsewhere.
    record Derived(List<byte[]> texts, int needs, Text text) implements Part {

        interface Text {
            String of(TraceFields fields);
        }

        static Derived of(int needs, Text text, String... texts) {
            return new Derived(
                    Stream.of(texts)
                            .sorted(Comparator.comparingInt(t -> -t.length()))
                            .map(Parts::bytes)
                            .toList(),
                    needs,
                    text);
        }

        @Override
        public boolean read(Scan scan) {
            for (int i = 0; i < texts.size(); i++) {
                if (scan.literal(texts.get(i))) {
                    return true;
                }
            }
            return false;
        }

        @Override
        public void print(TraceFields fields, TraceTree tree, StringBuilder out) {
            out.append(text.of(fields));
        }
    }
}

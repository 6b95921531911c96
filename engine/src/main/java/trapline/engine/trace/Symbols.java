package trapline.engine.trace;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import trapline.engine.table.Csv;

/// Names that a tree prints for numbers, found by their bytes.
final class Symbols {

    private record Symbol(byte[] bytes, String name, long value, TraceTree since) {}

    private static final TreeMap<String, Symbols> TABLES = new TreeMap<>();

    static {
        TreeMap<String, List<Symbol>> tables = new TreeMap<>();
        for (String[] row : Csv.rows("trace_symbols.csv")) {
            tables.computeIfAbsent(row[0], name -> new ArrayList<>())
                    .add(symbol(row[2], row[1], row[3]));
        }
        for (String[] row : Csv.rows("trace_exit_reasons.csv")) {
            tables.computeIfAbsent(row[0].equals("1") ? "vmx" : "svm", name -> new ArrayList<>())
                    .add(symbol(row[2], row[1], row[3]));
        }
        tables.forEach((name, symbols) -> TABLES.put(name, new Symbols(symbols)));
    }

    private final Symbol[] slots;
    private final TreeMap<Long, Symbol> byValue = new TreeMap<>();

    private Symbols(List<Symbol> symbols) {
        slots = new Symbol[Integer.highestOneBit(symbols.size()) * 4];
        for (Symbol symbol : symbols) {
            add(symbol);
            byValue.putIfAbsent(symbol.value(), symbol);
        }
    }

    private static Symbol symbol(String name, String value, String since) {
        return new Symbol(
                name.getBytes(StandardCharsets.UTF_8),
                name,
                number(value),
                TraceTree.named(since).orElseThrow());
    }

    private static long number(String cell) {
        return cell.startsWith("0x")
                ? Long.parseUnsignedLong(cell.substring(2), 16)
                : Long.parseLong(cell);
    }

    static Symbols of(String table) {
        Symbols symbols = TABLES.get(table);
        if (symbols == null) {
            throw new IllegalArgumentException("no symbols " + table);
        }
        return symbols;
    }

    /// These and a few more names, which are read and never printed.
    Symbols with(Map<String, Long> aliases) {
        List<Symbol> all = new ArrayList<>(byValue.values());
        aliases.forEach((name, value) ->
                all.add(symbol(name, "0x" + Long.toHexString(value), TraceTree.V7_1.version())));
        return new Symbols(all);
    }

    private void add(Symbol symbol) {
        int slot = slot(symbol.bytes(), 0, symbol.bytes().length);
        if (slots[slot] == null) {
            slots[slot] = symbol;
        }
    }

    /// Where a name is, or the free place where it would be.
    private int slot(byte[] bytes, int from, int to) {
        int hash = 0;
        for (int i = from; i < to; i++) {
            hash = 31 * hash + bytes[i];
        }
        int slot = (hash ^ hash >>> 15) & slots.length - 1;
        while (slots[slot] != null && !holds(slot, bytes, from, to)) {
            slot = slot + 1 & slots.length - 1;
        }
        return slot;
    }

    private boolean holds(int slot, byte[] bytes, int from, int to) {
        byte[] name = slots[slot].bytes();
        return Arrays.equals(name, 0, name.length, bytes, from, to);
    }

    /// Reads the name from here to there into the scan's number.
    boolean read(Scan scan, int to) {
        Symbol symbol = slots[slot(scan.bytes, scan.at, to)];
        if (symbol == null) {
            return false;
        }
        scan.number = symbol.value();
        scan.at = to;
        return true;
    }

    /// The name that a tree prints for a number; null where it has none.
    String name(long value, TraceTree tree) {
        Symbol symbol = byValue.get(value);
        return symbol == null || symbol.since().compareTo(tree) > 0 ? null : symbol.name();
    }

    /// The names of the bits that are set, as the kernel prints flags: what has no name follows as a number.
    String flags(long bits, TraceTree tree) {
        StringBuilder names = new StringBuilder();
        long rest = bits;
        for (Symbol symbol : byValue.values()) {
            if ((rest & symbol.value()) != 0 && symbol.since().compareTo(tree) <= 0) {
                names.append(names.isEmpty() ? "" : "|").append(symbol.name());
                rest &= ~symbol.value();
            }
        }
        if (rest != 0) {
            names.append(names.isEmpty() ? "" : "|").append("0x").append(Long.toHexString(rest));
        }
        return names.toString();
    }
}

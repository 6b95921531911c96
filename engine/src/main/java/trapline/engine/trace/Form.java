package trapline.engine.trace;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;

/// How a tree prints a tracepoint, from one tree on until the next form.
///
/// Written like the kernel's own format, with a field's name in each hole: `{rip:x}` hexadecimal, `{rip:x016}` with
/// leading zeros, `{a:#x}`, `{n:u}` and `{n:d}` decimal, `{write=read~write}` a text for each value, `{flag?text}` text
/// where it is set, `{reg@apic}` a name out of a table, `{dm.8.3@delivery}` three bits from bit 8 on, `{reason!}` a
/// piece with code of its own.
final class Form {

    final TraceTree since;
    private final Part[] parts;
    private final int needs;
    private final int tells;

    Form(TraceTree since, Tracepoint point, String text) {
        this.since = since;
        parts = parts(point, text).toArray(Part[]::new);
        int needed = 0;
        int told = 0;
        for (Part part : parts) {
            needed |= part.needs();
            told |= part.tells();
        }
        needs = needed;
        tells = told | needed;
    }

    /// Reads a whole text.
    boolean read(Scan scan) {
        for (Part part : parts) {
            if (!part.read(scan)) {
                return false;
            }
        }
        return scan.atEnd();
    }

    /// Whether the fields suffice to print it.
    boolean prints(TraceFields fields) {
        return (needs & ~fields.present()) == 0;
    }

    /// How many of the fields it shows.
    int shows(TraceFields fields) {
        return Integer.bitCount(tells & fields.present());
    }

    String print(TraceFields fields, TraceTree tree) {
        StringBuilder out = new StringBuilder();
        for (Part part : parts) {
            part.print(fields, tree, out);
        }
        return out.toString();
    }

    private static List<Part> parts(Tracepoint point, String text) {
        List<Part> parts = new ArrayList<>();
        int at = 0;
        while (at < text.length()) {
            int open = text.indexOf('{', at);
            int literal = open < 0 ? text.length() : open;
            if (literal > at) {
                parts.add(new Parts.Literal(text.substring(at, literal)));
            }
            at = literal;
            if (open >= 0) {
                int close = text.indexOf('}', open);
                parts.add(part(point, text.substring(open + 1, close)));
                at = close + 1;
            }
        }
        return parts;
    }

    private static Part part(Tracepoint point, String hole) {
        int end = 0;
        while (Character.isLetterOrDigit(hole.charAt(end)) || hole.charAt(end) == '.') {
            end++;
        }
        String name = hole.substring(0, end);
        String rest = hole.substring(end + 1);
        if (hole.charAt(end) == '!') {
            return Pieces.named(point, name);
        }
        Parts.Bits bits = bits(point, name);
        return switch (hole.charAt(end)) {
            case ':' -> number(bits, rest);
            case '=' -> Parts.Choice.of(bits, List.of(rest.split("~", -1)));
            case '?' -> new Parts.Flag(bits, new Parts.Literal(rest));
            case '@' -> new Parts.Symbol(bits, Symbols.of(rest));
            default -> throw new IllegalArgumentException(hole);
        };
    }

    private static Parts.Bits bits(Tracepoint point, String name) {
        String[] cells = name.split("\\.");
        Function<String, Integer> field = cell -> field(point, cell);
        return cells.length == 1
                ? Parts.Bits.all(field.apply(name))
                : new Parts.Bits(
                        field.apply(cells[0]),
                        Integer.parseInt(cells[1]),
                        Integer.parseInt(cells[2]));
    }

    static int field(Tracepoint point, String name) {
        int field = point.field(name);
        if (field < 0) {
            throw new IllegalArgumentException(point + " has no " + name);
        }
        return field;
    }

    private static Part number(Parts.Bits bits, String conversion) {
        return switch (conversion) {
            case "x" -> new Parts.Hex(bits, 1);
            case "x04" -> new Parts.Hex(bits, 4);
            case "x08" -> new Parts.Hex(bits, 8);
            case "x016" -> new Parts.Hex(bits, 16);
            case "#x" -> new Parts.Alternate(bits);
            case "u" -> new Parts.Decimal(bits, false);
            case "d" -> new Parts.Decimal(bits, true);
            default -> throw new IllegalArgumentException(conversion);
        };
    }
}

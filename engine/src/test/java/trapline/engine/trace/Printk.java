package trapline.engine.trace;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// A little of C: prints a row of `tracepoints.csv` for values of its fields, as the kernel would.
///
/// It evaluates the row's arguments and knows nothing of the forms under test.
final class Printk {

    private static final Map<String, Long> CONSTANTS =
            Map.of("KVM_ISA_VMX", 1L, "KVM_ISA_SVM", 2L, "EINTR", 4L);

    private final Map<String, Object> fields;
    private final String tree;
    private String text = "";
    private int at;

    Printk(Map<String, Object> fields, String tree) {
        this.fields = fields;
        this.tree = tree;
    }

    String print(String format, String arguments) {
        List<Object> values = new ArrayList<>();
        for (String argument : arguments.split(" ; ")) {
            values.addAll(expansion(argument.strip()));
        }
        return format(format, values);
    }

    /// What the kernel's macros that are several arguments stand for.
    private List<Object> expansion(String argument) {
        if (argument.startsWith("kvm_print_exit_reason(")) {
            String field = argument.replaceAll(".*\\((\\w+),.*", "$1");
            long reason = number(fields.get(field));
            if (number(fields.get("isa")) == 2) {
                return List.of(symbol("svm", reason), "", "");
            }
            long flags = reason & 0xffff_0000L;
            return List.of(
                    symbol("vmx", reason & 0xffff),
                    flags == 0 ? "" : " ",
                    flags == 0 ? "" : flags == 0x8000_0000L ? "FAILED_VMENTRY" : hex(flags));
        }
        if (argument.startsWith("kvm_print_apicv_inhibit_reasons(")) {
            long inhibits = number(fields.get("inhibits"));
            return List.of(
                    inhibits, inhibits == 0 ? "" : " ", inhibits == 0 ? "" : inhibited(inhibits));
        }
        if (argument.startsWith("symbolic(irqchip")) {
            return List.of(
                    List.of("PIC master", "PIC slave", "IOAPIC")
                            .get((int) number(fields.get("irqchip"))));
        }
        text = argument.replace("{ }", "{}");
        at = 0;
        Object value = ternary();
        if (at != text.length()) {
            throw new IllegalStateException("left over: " + text.substring(at));
        }
        return List.of(value);
    }

    private static String inhibited(long inhibits) {
        return inhibits == 1 ? "DISABLED" : inhibits == 0x84 ? "ABSENT|NESTED" : "?";
    }

    private static String format(String format, List<Object> values) {
        StringBuilder out = new StringBuilder();
        int next = 0;
        for (int i = 0; i < format.length(); i++) {
            if (format.charAt(i) != '%') {
                out.append(format.charAt(i));
                continue;
            }
            String spec = "";
            while ("diuxsX".indexOf(format.charAt(i + 1)) < 0) {
                spec += format.charAt(++i);
            }
            out.append(one(format.charAt(++i), spec.replace("l", ""), values.get(next++)));
        }
        if (next != values.size()) {
            throw new IllegalStateException(format + " has not " + values.size() + " arguments");
        }
        return out.toString();
    }

    private static String one(char conversion, String flags, Object value) {
        return switch (conversion) {
            case 's' -> (String) value;
            case 'd' -> Long.toString((Long) value);
            case 'u' -> Long.toUnsignedString((Long) value);
            case 'x' -> {
                String digits = Long.toHexString((Long) value);
                if (flags.equals("#")) {
                    yield (Long) value == 0 ? "0" : "0x" + digits;
                }
                int width = flags.isEmpty() ? 0 : Integer.parseInt(flags);
                yield "0".repeat(Math.max(0, width - digits.length())) + digits;
            }
            default -> throw new IllegalStateException("%" + conversion);
        };
    }

    private Object ternary() {
        Object condition = comparison();
        if (!take("?")) {
            return condition;
        }
        Object yes = ternary();
        expect(":");
        Object no = ternary();
        return truth(condition) ? yes : no;
    }

    private Object comparison() {
        Object left = or();
        if (take("==")) {
            return bool(number(left) == number(or()));
        }
        if (take("<") && !peek("<")) {
            return bool(number(left) < number(or()));
        }
        if (take(">") && !peek(">")) {
            return bool(number(left) > number(or()));
        }
        return left;
    }

    private Object or() {
        Object left = and();
        while (peek("|")) {
            expect("|");
            left = number(left) | number(and());
        }
        return left;
    }

    private Object and() {
        Object left = shift();
        while (peek("&")) {
            expect("&");
            left = number(left) & number(shift());
        }
        return left;
    }

    private Object shift() {
        Object left = unary();
        while (peek("<<") || peek(">>")) {
            boolean right = peek(">>");
            expect(right ? ">>" : "<<");
            long by = number(unary());
            left = right ? number(left) >>> by : number(left) << by;
        }
        return left;
    }

    private Object unary() {
        if (take("!")) {
            return bool(!truth(unary()));
        }
        if (take("-")) {
            return -number(unary());
        }
        if (take("(u8)")) {
            return number(unary()) & 0xff;
        }
        if (take("(")) {
            Object inner = ternary();
            expect(")");
            return inner;
        }
        return primary();
    }

    private Object primary() {
        blanks();
        char c = text.charAt(at);
        if (c == '"') {
            int close = text.indexOf('"', at + 1);
            String literal = text.substring(at + 1, close);
            at = close + 1;
            return literal;
        }
        String word = word();
        if (word.startsWith("0x")) {
            return Long.parseLong(word.substring(2), 16);
        }
        if (Character.isDigit(c)) {
            return Long.parseLong(word);
        }
        if (CONSTANTS.containsKey(word)) {
            return CONSTANTS.get(word);
        }
        return take("(") ? call(word) : field(word);
    }

    private Object call(String function) {
        return switch (function) {
            case "__get_str" -> closed(fields.get(word()));
            case "__print_hex" -> {
                word();
                expect(",");
                yield closed(bytes(number(field(word()))));
            }
            case "__print_symbolic" -> {
                long value = number(ternary());
                expect(",");
                blanks();
                int close = text.indexOf(')', at);
                String table = text.substring(at, close);
                at = close;
                yield closed(symbol(table, value));
            }
            default -> throw new IllegalStateException(function);
        };
    }

    private Object closed(Object value) {
        expect(")");
        return value;
    }

    private static String bytes(long count) {
        StringBuilder bytes = new StringBuilder();
        for (int i = 0; i < count; i++) {
            bytes.append(i == 0 ? "" : " ").append("%02x".formatted((0x0f + 17 * i) & 0xff));
        }
        return bytes.toString();
    }

    private Object field(String name) {
        Object value = fields.get(name);
        if (value == null) {
            throw new IllegalStateException("no field " + name);
        }
        return value;
    }

    private String symbol(String table, long value) {
        Map<Long, String> names = new TreeMap<>();
        switch (table) {
            case "VMX_EXIT_REASONS", "vmx" -> {
                names.put(0L, "EXCEPTION_NMI");
                names.put(32L, "MSR_WRITE");
                names.put(33L, "INVALID_STATE");
            }
            case "SVM_EXIT_REASONS", "svm" -> {
                names.put(0x7cL, "msr");
                names.put(0x400L, "npf");
            }
            case "kvm_trace_symbol_mmio" -> {
                names.put(0L, "unsatisfied-read");
                names.put(1L, "read");
                names.put(2L, "write");
            }
            case "kvm_trace_sym_exc" -> {
                names.put(6L, "#UD");
                names.put(14L, "#PF");
                if (tree.startsWith("6.18") || tree.startsWith("7")) {
                    names.put(21L, "#CP");
                }
            }
            case "kvm_trace_symbol_apic" -> {
                names.put(0xb0L, "APIC_EOI");
                names.put(0x3f0L, "APIC_SELF_IPI");
            }
            case "kvm_deliver_mode" -> {
                for (String mode :
                        List.of(
                                "Fixed", "LowPrio", "SMI", "Res3", "NMI", "INIT", "SIPI",
                                "ExtINT")) {
                    names.put((long) names.size(), mode);
                }
            }
            case "kvm_apic_dst_shorthand" -> {
                for (String to : List.of("dst", "self", "all", "all-but-self")) {
                    names.put((long) names.size(), to);
                }
            }
            case "kvm_fpu_load_symbol" -> {
                names.put(0L, "unload");
                names.put(1L, "load");
            }
            case "kvm_trace_exit_reason" -> {
                names.put(2L, "KVM_EXIT_IO");
                if (!tree.startsWith("5.4")) {
                    names.put(30L, "KVM_EXIT_X86_WRMSR");
                }
            }
            case "kvm_trace_symbol_emul_flags" -> {
                names.put(0L, "real");
                names.put(9L, "prot64");
            }
            case "VMX_VMENTER_INSTRUCTION_ERRORS" -> names.put(7L, "VMENTRY_INVALID_CONTROL_FIELD");
            case "{}" -> {}
            default -> throw new IllegalStateException("no table " + table);
        }
        return names.getOrDefault(value, hex(value));
    }

    private static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }

    private static long bool(boolean value) {
        return value ? 1 : 0;
    }

    private static long number(Object value) {
        return (Long) value;
    }

    private static boolean truth(Object value) {
        return number(value) != 0;
    }

    private void blanks() {
        while (at < text.length() && text.charAt(at) == ' ') {
            at++;
        }
    }

    private String word() {
        blanks();
        int from = at;
        while (at < text.length()
                && (Character.isLetterOrDigit(text.charAt(at)) || text.charAt(at) == '_')) {
            at++;
        }
        return text.substring(from, at);
    }

    private boolean peek(String token) {
        blanks();
        return text.startsWith(token, at);
    }

    private boolean take(String token) {
        if (peek(token)) {
            at += token.length();
            return true;
        }
        return false;
    }

    private void expect(String token) {
        if (!take(token)) {
            throw new IllegalStateException(
                    "expected '%s' at '%s'".formatted(token, text.substring(at)));
        }
    }
}

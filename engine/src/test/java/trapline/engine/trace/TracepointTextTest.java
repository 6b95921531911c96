package trapline.engine.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;

/// Every text of every tree, made of `tracepoints.csv` by [Printk], is read and printed again.
class TracepointTextTest {

    /// One row of the table.
    record Row(String event, String tree, String format, String arguments, String fields) {

        @Override
        public String toString() {
            return event + " of " + tree;
        }

        Tracepoint point() {
            return Tracepoint.named(event);
        }

        TraceTree version() {
            return TraceTree.named(tree.replaceAll("^(\\d+\\.\\d+)\\..*", "$1")).orElseThrow();
        }

        /// The recorded fields with their types.
        Map<String, String> types() {
            Map<String, String> types = new TreeMap<>();
            for (String field : fields.split(" ; ")) {
                String[] cells = field.split(", ");
                types.put(cells[1], cells[0]);
            }
            return types;
        }
    }

    static List<Row> rows() throws IOException {
        List<Row> rows = new ArrayList<>();
        try (BufferedReader lines =
                new BufferedReader(
                        new InputStreamReader(
                                TracepointTextTest.class.getResourceAsStream(
                                        "/trapline/reference/tracepoints.csv"),
                                StandardCharsets.UTF_8))) {
            lines.readLine();
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                List<String> cells = cells(line);
                if (!cells.get(3).equals("ABSENT")) {
                    rows.add(
                            new Row(
                                    cells.get(0),
                                    cells.get(1),
                                    cells.get(3),
                                    cells.get(4),
                                    cells.get(5)));
                }
            }
        }
        return rows;
    }

    /// Cells of which some are quoted, with doubled quotes inside.
    private static List<String> cells(String line) {
        List<String> cells = new ArrayList<>();
        StringBuilder cell = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c == '"' && quoted && i + 1 < line.length() && line.charAt(i + 1) == '"') {
                cell.append(c);
                i++;
            } else if (c == '"') {
                quoted = !quoted;
            } else if (c == ',' && !quoted) {
                cells.add(cell.toString());
                cell.setLength(0);
            } else {
                cell.append(c);
            }
        }
        cells.add(cell.toString());
        return cells;
    }

    /// 43 tracepoints of seven trees, less `grep -c ',ABSENT,'`.
    @Test
    void theTableIsWhole() throws IOException {
        List<Row> rows = rows();
        Set<String> events = new TreeSet<>();
        rows.forEach(row -> events.add(row.event()));
        assertEquals(Tracepoint.values().length, events.size());
        assertEquals(43 * 7 - 18, rows.size());
    }

    /// What a field is called in [Tracepoint], where that does not follow from its name in the kernel.
    private static String name(Row row, String field) {
        Map<String, String> everywhere =
                Map.of(
                        "vcpu_id", "vcpu",
                        "exit_reason", "reason",
                        "exit_code", "reason",
                        "guest_rip", "rip",
                        "exit_info1", "info1",
                        "exit_info2", "info2",
                        "exit_int_info", "intrInfo",
                        "exit_int_info_err", "errorCode",
                        "rw", "write",
                        "val", "value");
        if (row.event().equals("kvm_msr")) {
            return Map.of("ecx", "msr", "data", "value", "exception", "fault", "write", "write")
                    .get(field);
        }
        if (row.event().equals("kvm_inj_virq") && field.equals("irq")) {
            return "vector";
        }
        if (everywhere.containsKey(field)) {
            return everywhere.get(field);
        }
        StringBuilder camel = new StringBuilder();
        for (String word : field.split("_")) {
            camel.append(
                    camel.isEmpty()
                            ? word
                            : Character.toUpperCase(word.charAt(0)) + word.substring(1));
        }
        return camel.toString();
    }

    /// Values for the fields of a row: `kind` 0 to 5 has small ones, large ones, and each vendor's reasons.
    private static Map<String, Object> values(Row row, int kind) {
        Map<String, Object> values = new TreeMap<>();
        int number = 0;
        for (Map.Entry<String, String> field : row.types().entrySet()) {
            number++;
            values.put(field.getKey(), value(row, field.getKey(), field.getValue(), kind, number));
        }
        return values;
    }

    private static final long[] EXITS = {32, 0, 0x8000_0021L, 0x7c, 0x400, 0x4000_0021L};
    private static final long[] ISAS = {1, 1, 1, 2, 2, 1};
    private static final long[] VECTORS = {6, 14, 21, 14, 2, 6};
    private static final long[] USER = {2, 30, 37, 2, 30, 2};

    private static Object special(Row row, String field, int kind, int number) {
        return switch (field) {
            case "isa" -> ISAS[kind];
            case "exit_reason", "exit_code" ->
                    row.event().startsWith("kvm_vmgexit") ? 0x8000_0013L : EXITS[kind];
            case "msg" -> "early hardware check VM-instruction error: ";
            case "err" -> new long[] {7, 7, 0x1f, 7, 0x1f, 7}[kind];
            case "errno" -> new long[] {0, 0, 0, -4, -14, 0}[kind];
            case "insn" -> 0L;
            case "len" ->
                    row.event().equals("kvm_mmio") ? 4L : new long[] {1, 8, 9, 15, 2, 3}[kind];
            case "flags" -> new long[] {0, 9, 2, 0xff, 0, 9}[kind];
            case "reg" -> new long[] {0xb0, 0x3f0, 0x110, 0xb0, 0xb0, 0xb0}[kind];
            case "inhibits" -> new long[] {0, 1, 0x84, 0, 1, 0x84}[kind];
            case "delta" -> new long[] {5, -7, Long.MAX_VALUE, Long.MIN_VALUE + 1, 0, 1}[kind];
            case "dm" -> (long) kind << 8;
            case "icr_low" -> new long[] {0x41, 0xc00ff, 0x8ba2, 0x4500, 0x84ec6, 0}[kind];
            case "address" ->
                    row.event().equals("kvm_msi_set_irq")
                            ? new long[] {0, 0x4, 0x1234_5600_000f_f00cL, 0x8, 0x3000, 0}[kind]
                            : wide(kind, number);
            case "data" ->
                    row.event().equals("kvm_msi_set_irq")
                            ? new long[] {0, 0x41, 0x87ff, 0x8100, 0x0241, 0}[kind]
                            : wide(kind, number);
            case "irqchip", "type" -> (long) (kind % 3);
            case "count" -> new long[] {1, 1, 4, 1, 2, 1}[kind];
            default -> null;
        };
    }

    private static Object value(Row row, String field, String type, int kind, int number) {
        Object special = special(row, field, kind, number);
        if (special != null) {
            return special;
        }
        if (row.event().equals("kvm_apicv_inhibit_changed") && field.equals("reason")) {
            return (long) kind;
        }
        if (row.event().equals("kvm_userspace_exit")) {
            return USER[kind];
        }
        if (row.event().equals("kvm_inj_exception") && field.equals("exception")) {
            return VECTORS[kind];
        }
        if (field.equals("error_code") && row.event().equals("kvm_inj_exception")) {
            return new long[] {2, 3, 0xffff_ffffL, 0, 0, 4}[kind];
        }
        if (type.equals("bool") || BITS.contains(field) || field.equals("exception")) {
            return (long) ((kind + number) & 1);
        }
        return switch (type) {
            case "int" -> new long[] {0, 1, Integer.MAX_VALUE, -1, 7, 9}[kind];
            case "__u8", "u8" -> new long[] {0, 1, 0xff, 7, 9, 2}[kind];
            case "__u16" -> new long[] {0, 1, 0xffff, 7, 9, 2}[kind];
            case "unsigned int", "u32", "__u32" ->
                    new long[] {0, 1, 0xffff_ffffL, 0x1234, 9, 2}[kind] & 0xffff_ffffL;
            default -> wide(kind, number);
        };
    }

    private static final Set<String> BITS =
            Set.of("rw", "write", "load", "tm", "has_error", "failed", "grow");

    private static long wide(int kind, int number) {
        return new long[] {0, number, -number, 0x1234_5678_9abc_def0L, 0x10, 1L << 63}[kind];
    }

    static Stream<Row> everyRow() throws IOException {
        return rows().stream();
    }

    @ParameterizedTest
    @MethodSource("everyRow")
    void isReadAndPrintedAgain(Row row) {
        for (int kind = 0; kind < EXITS.length; kind++) {
            Map<String, Object> values = values(row, kind);
            String text = new Printk(values, row.tree()).print(row.format(), row.arguments());
            TracepointText reader = new TracepointText();
            TraceFields fields = read(reader, row.point(), text);
            assertNotNull(fields, () -> text + ": " + reader.problem());
            assertEquals(expected(row, values), told(row.point(), fields), text);
            assertEquals(text, TracepointPrinter.print(row.point(), fields, row.version()));
            String exact = TracepointPrinter.print(row.point(), fields);
            assertEquals(fields, read(reader, row.point(), exact), exact);
        }
    }

    private static TraceFields read(TracepointText reader, Tracepoint point, String text) {
        byte[] bytes = ("##" + text + "##").getBytes(StandardCharsets.UTF_8);
        return reader.parse(point, bytes, 2, bytes.length - 2);
    }

    private static Map<String, Object> told(Tracepoint point, TraceFields fields) {
        Map<String, Object> told = new TreeMap<>();
        for (int i = 0; i < point.fields().size(); i++) {
            if (fields.has(i)) {
                told.put(point.fields().get(i), fields.value(i, 0));
            }
        }
        if (!fields.text().isEmpty()) {
            told.put("text", fields.text());
        }
        return told;
    }

    /// What a reader of the text can know: the recorded fields, less what their text does not tell.
    private static Map<String, Object> expected(Row row, Map<String, Object> values) {
        Map<String, Object> known = new TreeMap<>();
        values.forEach((field, value) -> known.put(name(row, field), value));
        switch (row.point()) {
            case KVM_ENTRY -> {
                boolean silent = !known.containsKey("intrInfo");
                if (silent && Long.valueOf(0).equals(known.get("immediateExit"))) {
                    known.remove("immediateExit");
                }
            }
            case KVM_INJ_EXCEPTION -> exception(row, known);
            case KVM_USERSPACE_EXIT ->
                    known.remove((long) known.get("errno") < 0 ? "reason" : "errno");
            case KVM_NESTED_VMENTER_FAILED -> known.put("text", known.remove("msg"));
            case KVM_EMULATE_INSN -> instruction(known);
            case KVM_EXIT, KVM_NESTED_VMEXIT, KVM_NESTED_VMEXIT_INJECT -> {
                // 5.4 prints a reason with flags as a number, from which nobody can tell the
                // vendor.
                if (row.tree().startsWith("5.4") && (long) known.get("reason") > 0xffff) {
                    known.remove("isa");
                }
            }
            default -> {
                // All is told.
            }
        }
        return known;
    }

    /// Before 6.1 a code of 0 is printed for exceptions without one, and so is nothing else.
    private static void exception(Row row, Map<String, Object> known) {
        boolean coded = (long) known.get("hasError") != 0;
        boolean old = row.tree().startsWith("5.");
        if (old && !coded) {
            known.put("errorCode", 0L);
        }
        if (!old && !coded) {
            known.remove("errorCode");
            return;
        }
        if ((long) known.get("errorCode") == 0) {
            known.remove("hasError");
        }
        if (Long.valueOf(0).equals(known.get("reinjected"))) {
            known.remove("reinjected");
        }
    }

    /// The bytes that [Printk] makes up: 0f, 20, 31, …
    private static void instruction(Map<String, Object> known) {
        long low = 0;
        long high = 0;
        for (int i = 0; i < (long) known.get("len"); i++) {
            long value = (0x0fL + 17L * i) & 0xff;
            low |= i < 8 ? value << (8 * i) : 0;
            high |= i < 8 ? 0 : value << (8 * (i - 8));
        }
        known.remove("insn");
        known.put("insnLow", low);
        known.put("insnHigh", high);
    }

    /// Texts of older kernels, of trace-cmd's plugin, and of people; the fields by hand.
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "kvm_exit ; reason EXTERNAL_INTERRUPT rip 0x22da info 0 800000fd ; {info1=0, info2=2147483901, isa=1, reason=1, rip=8922}",
                "kvm_exit ; reason EXIT_MSR rip 0x10 info 1 0 ; {info1=1, info2=0, isa=2, reason=124, rip=16}",
                "kvm_exit ; reason PENDING_INTERRUPT rip 0x10 info 0 0 ; {info1=0, info2=0, isa=1, reason=7, rip=16}",
                "kvm_exit ; reason UNKNOWN (74) rip 0x10 info 0 0 ; {info1=0, info2=0, reason=74, rip=16}",
                "kvm_exit ; reason EXTERNAL_INTERRUPT rip 0x10 info1 0 ; {info1=0, isa=1, reason=1, rip=16}",
                "kvm_exit ; vcpu 3 reason msr rip 0x10 ; {isa=2, reason=124, rip=16, vcpu=3}",
                "kvm_exit ; vcpu 3 reason 0x4b rip 0x10 info1 0x0 ; {info1=0, reason=75, rip=16, vcpu=3}",
                "kvm_exit ; reason INVALID_STATE FAILED_VMENTRY|0x4000000 rip 0x0 ; {isa=1, reason=2214592545, rip=0}",
                "kvm_entry ; vcpu 1 rip 0x10 ; {rip=16, vcpu=1}",
                "kvm_entry ; vcpu 1, rip 0x10 [immediate exit] ; {immediateExit=1, rip=16, vcpu=1}",
                "kvm_nested_vmexit ; rip 10 reason EXIT_NPF info1 1 info2 2 int_info 3 int_info_err 4 ; {errorCode=4, info1=1, info2=2, intrInfo=3, isa=2, reason=1024, rip=16}",
                "kvm_nested_vmexit_inject ; reason VMCALL info1 1 info2 2 int_info 3 int_info_err 4 ; {errorCode=4, info1=1, info2=2, intrInfo=3, isa=1, reason=18}",
                "kvm_emulate_insn ; 0:1006: 0f 32 ; {csbase=0, failed=0, insnHigh=0, insnLow=12815, len=2, rip=4102}",
                "kvm_emulate_insn ; 0:1006: 0f 32 FAIL ; {csbase=0, failed=1, insnHigh=0, insnLow=12815, len=2, rip=4102}",
                "kvm_pio ; pio_write at 0x70 size 1 count 1 ; {count=1, port=112, size=1, write=1}",
                "kvm_pio ; pio_write at 0x70 size 1 count 1 val 0x8f ; {count=1, port=112, size=1, value=143, write=1}",
                "kvm_apic_accept_irq ; apicid 1 vec 236 (LowPrio|edge) (coalesced) ; {apicid=1, dm=256, tm=0, vec=236}",
            })
    void readsWhatOthersPrint(String event, String text, String fields) {
        Tracepoint point = Tracepoint.named(event);
        TracepointText reader = new TracepointText();
        TraceFields read = read(reader, point, text);
        assertNotNull(read, reader::problem);
        assertEquals(fields, told(point, read).toString());
        assertEquals(read, read(reader, point, TracepointPrinter.print(point, read)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "kvm_exit ; vcpu 0 reason EXTERNAL_INT ; expected an exit reason, found 'EXTERNAL_INT'",
                "kvm_exit ; vcpu 0 rip 0x10 ; expected a reason, found none",
                "kvm_exit ; vcpu 0 reason MSR_WRITE rip ; expected a value after 'rip', found the end",
                "kvm_exit ; vcpu 0 reason MSR_WRITE rip 0xgg ; expected a key and its value, found 'rip gg'",
                "kvm_entry ; vcpu ; expected a value after 'vcpu', found the end",
                "kvm_entry ; cpu 1 ; expected a key and its value, found 'cpu 1'",
                "kvm_msr ; msr_write 6e0 = 0xx ; expected another text, found 'x'",
                "kvm_msr ; msr_write 6e0 = ; expected another text, found ' ='",
                "kvm_msr ; msr_write 6e0 ; expected more, found the end",
                "kvm_msr ; msr_write 11112222333344445 = 0x0 ; expected another text, found '11112222333344445 = 0x0'",
                "kvm_fpu ; reload ; expected another text, found 'reload'",
            })
    void tellsWhatIsWrong(String event, String text, String problem) {
        TracepointText reader = new TracepointText();
        assertNull(read(reader, Tracepoint.named(event), text));
        assertEquals(problem, reader.problem());
    }

    /// Newer exceptions have names from 6.18 on, and userspace's exits 28 to 30 from 5.15 on.
    @Test
    void namesAreThoseThatTheTreeHad() {
        TraceFields fields = read(new TracepointText(), Tracepoint.KVM_INJ_EXCEPTION, "#CP (0x1)");
        assertEquals(
                "0x15 (0x1)",
                TracepointPrinter.print(Tracepoint.KVM_INJ_EXCEPTION, fields, TraceTree.V6_12));
        assertEquals(
                "#CP (0x1)",
                TracepointPrinter.print(Tracepoint.KVM_INJ_EXCEPTION, fields, TraceTree.V6_18));
        assertTrue(TraceTree.named("kvm-6.12").isPresent());
    }
}

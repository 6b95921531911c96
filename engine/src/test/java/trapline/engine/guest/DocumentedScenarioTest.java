package trapline.engine.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import trapline.engine.Documents;
import trapline.engine.Recording;
import trapline.engine.VcpuScenario;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.GuestEvent.NestedEntered;
import trapline.engine.event.GuestEvent.NestedFieldStored;
import trapline.engine.event.GuestEvent.VmInstruction;
import trapline.engine.event.GuestEvent.VmInstructionExecuted;
import trapline.engine.state.Vendor;
import trapline.engine.table.Layout;

/// What docs/scenarios.md tells users is so.
class DocumentedScenarioTest {

    private static final Pattern ROW = Pattern.compile("\\| `([a-z-]+)` \\|.*?\\|(.*)\\|.*\\|");
    private static final Pattern QUOTED = Pattern.compile("`([^`]+)`");
    private static final String PAGE = Documents.text("scenarios.md");

    /// Op to example, from the tables.
    private static SortedMap<String, String> examples() {
        SortedMap<String, String> examples = new TreeMap<>();
        for (String line : PAGE.lines().toList()) {
            Matcher row = ROW.matcher(line);
            if (row.matches()) {
                Matcher example = QUOTED.matcher(row.group(2));
                assertTrue(example.find(), line);
                assertEquals(null, examples.put(row.group(1), example.group(1)));
            }
        }
        return examples;
    }

    @Test
    void namesEveryOp() {
        assertEquals(ScenarioCompiler.OPS, examples().keySet());
    }

    static Stream<String> pieces() {
        return examples().entrySet().stream()
                .map(entry -> entry.getKey() + " ~ " + entry.getValue());
    }

    /// An example uses the op that it stands for, and compiles for both vendors.
    @ParameterizedTest
    @MethodSource("pieces")
    void exampleIsRight(String piece) {
        String op = piece.substring(0, piece.indexOf(" ~ "));
        String example = piece.substring(piece.indexOf(" ~ ") + 3);
        assertTrue(example.startsWith(op) || example.startsWith("{" + op), example);
        String text = "scenario: s\nprogram:\n- " + example + "\n";
        for (Vendor vendor : Vendor.values()) {
            assertEquals(1, Scenario.parse(text, "example").on(vendor, Optional.empty()).vcpus());
        }
        assertEquals(List.of(), Documents.errors("scenario.schema.json", text));
    }

    @Test
    void wholeExampleIsRight() {
        Matcher block = Pattern.compile("(?s)```yaml\n(.*?)```").matcher(PAGE);
        assertTrue(block.find());
        assertEquals("ssbd-per-task", Scenario.parse(block.group(1), "example").name());
        assertEquals(List.of(), Documents.errors("scenario.schema.json", block.group(1)));
    }

    @Test
    void namesEveryKey() {
        TreeSet<String> keys = new TreeSet<>();
        String section = PAGE.substring(PAGE.indexOf("## Keys"), PAGE.indexOf("## Operands"));
        for (String line : section.lines().filter(l -> l.startsWith("| `")).toList()) {
            keys.add(line.substring(3, line.indexOf('`', 3)));
        }
        assertEquals(Documents.keys("scenario.schema.json", "/properties"), keys);
    }

    /// The table of what L1 does, against the fields that it wrote: to set up and enter, and to resume after an exit.
    @ParameterizedTest
    @CsvSource({"Icelake-Server, 2", "EPYC-Milan, 3"})
    void l1DoesWhatIsToldOfIt(String cpu, int column) {
        Recording recording =
                VcpuScenario.on(cpu)
                        .run("- nested: {intercept: {cpuid: true}, do: [{cpuid: {leaf: 1}}]}\n");
        List<GuestEvent> ops = recording.all(GuestEvent.class);
        int entry = 0;
        while (!(ops.get(entry) instanceof NestedEntered)) {
            entry++;
        }
        String table = PAGE.substring(PAGE.indexOf("| | on Intel"));
        List<String> rows = table.lines().skip(2).map(row -> row.split("\\|")[column]).toList();
        Set<String> written = written(ops.subList(0, entry), recording);
        Set<String> told = told(rows.get(0) + rows.get(1));
        told.removeAll(Set.of("fields", "EFER", "VM_HSAVE_PA"));
        assertTrue(written.containsAll(told), () -> told + " but wrote " + written);
        String others = rows.get(0).replaceAll(".*?(\\d+) fields.*", "$1");
        assertEquals(Integer.parseInt(others), written.size() - told.size());
        assertEquals(told(rows.get(2)), written(ops.subList(entry + 1, ops.size()), recording));
    }

    private static Set<String> told(String cells) {
        Set<String> names = new TreeSet<>();
        QUOTED.matcher(cells).results().forEach(result -> names.add(result.group(1)));
        return names;
    }

    private static Set<String> written(List<GuestEvent> ops, Recording recording) {
        Layout layout = recording.machines().platform().vendor().layout();
        Set<String> names = new TreeSet<>();
        for (GuestEvent op : ops) {
            switch (op) {
                case VmInstructionExecuted e when e.instruction() == VmInstruction.VMWRITE ->
                        names.add(layout.field((int) e.operand()).name());
                case NestedFieldStored e -> names.add(layout.field(e.field()).name());
                default -> {}
            }
        }
        return names;
    }
}

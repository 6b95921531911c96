package trapline.engine.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.List;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import trapline.engine.Bad;
import trapline.engine.Documents;
import trapline.engine.RandomScenario;
import trapline.engine.cpu.ArchCapabilities;
import trapline.engine.cpu.Platforms;
import trapline.engine.policy.Policies;
import trapline.engine.table.Features;
import trapline.engine.table.Msrs;
import trapline.engine.text.InputException;
import trapline.engine.text.Resources;

/// docs/scenario.schema.json, which editors read, says what the program itself says of a file.
class ScenarioSchemaTest {

    private static final String SCHEMA = "scenario.schema.json";

    @Test
    void isASchema() {
        assertEquals(List.of(), Documents.errorsOf(SCHEMA));
    }

    @Test
    void knowsTheOps() {
        NavigableSet<String> ops = Documents.keys(SCHEMA, "/$defs/opWithOperands/properties");
        ops.remove("do");
        assertEquals(ScenarioCompiler.OPS, ops);
    }

    @Test
    void knowsTheNames() {
        assertEquals(Msrs.names(), Documents.texts(SCHEMA, "/$defs/msr/anyOf/0/enum"));
        assertEquals(Platforms.names(), Documents.texts(SCHEMA, "/properties/cpu/anyOf/0/enum"));
        assertEquals(Policies.bases(), Documents.texts(SCHEMA, "/properties/policy/anyOf/0/enum"));
        Set<String> properties = new TreeSet<>(Features.properties());
        properties.addAll(ArchCapabilities.properties());
        assertEquals(
                List.copyOf(properties),
                Documents.texts(SCHEMA, "/properties/guest-cpu/propertyNames/enum"));
    }

    static Stream<String> builtIn() {
        return GuestFile.builtIn().stream().filter(name -> text(name).contains("scenario: "));
    }

    private static String text(String name) {
        return Resources.text("guests/" + name + ".yaml").orElseThrow();
    }

    @ParameterizedTest
    @MethodSource("builtIn")
    void takesBuiltInGuest(String name) {
        assertEquals(List.of(), Documents.errors(SCHEMA, text(name)));
    }

    /// Whatever the program takes.
    @Test
    void takesDrawnScenarios() {
        for (int seed = 1; seed <= 20; seed++) {
            String text = RandomScenario.of(seed, seed % 2 == 0).text();
            assertEquals(List.of(), Documents.errors(SCHEMA, text), text);
        }
    }

    /// Ops that only the program can refuse: it knows every alias of an MSR, compares numbers, knows the machine
    /// and what stands around an op. To YAML 1.1, `yes` is true.
    private static boolean beyondSchemas(Bad bad) {
        return bad.message().contains("unknown MSR")
                || bad.message().contains("with LEAST first")
                || bad.message().contains("expected 1 to 1000000000000")
                || bad.message().contains("expected a number from")
                || bad.message().contains("unknown field")
                || bad.message().contains("is not a field of")
                || bad.message().contains("nested cannot nest")
                || bad.message().contains("there is no range")
                || bad.message().contains("more than 16 ranges")
                || bad.message().contains("is not in the range")
                || bad.kind() == InputException.Kind.TOO_LARGE
                || bad.message().contains("not YAML")
                || bad.message().contains("stands twice")
                || bad.message().contains("are not used here")
                || bad.text().contains("hlt: yes");
    }

    static Stream<Bad> badOps() {
        return ScenarioErrorsTest.ops().filter(bad -> !beyondSchemas(bad));
    }

    @ParameterizedTest
    @MethodSource("badOps")
    void refusesWhatTheProgramRefuses(Bad bad) {
        String text = "scenario: s\nprogram:\n- " + bad.text() + "\n";
        assertFalse(Documents.errors(SCHEMA, text).isEmpty(), text);
    }

    static Stream<Bad> badFiles() {
        return ScenarioErrorsTest.files()
                .filter(bad -> bad.text().contains(": ") && !beyondSchemas(bad))
                .filter(bad ->
                        !bad.message().contains("expected a program for each vCPU from 0 to"))
                .filter(bad -> !bad.message().contains("expected only one document"));
    }

    @ParameterizedTest
    @MethodSource("badFiles")
    void refusesFilesThatTheProgramRefuses(Bad bad) {
        assertFalse(Documents.errors(SCHEMA, bad.text()).isEmpty(), bad.text());
    }
}

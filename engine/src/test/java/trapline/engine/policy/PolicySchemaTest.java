package trapline.engine.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import trapline.engine.Bad;
import trapline.engine.Documents;
import trapline.engine.table.Bits;
import trapline.engine.table.Features;
import trapline.engine.table.Msrs;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Resources;

/// docs/policy.schema.json, which editors read, says what the program itself says of a policy file.
class PolicySchemaTest {

    private static final String SCHEMA = "policy.schema.json";

    @Test
    void isASchema() {
        assertEquals(List.of(), Documents.errorsOf(SCHEMA));
    }

    @Test
    void knowsTheNames() {
        assertEquals(Msrs.names(), Documents.texts(SCHEMA, "/$defs/msr/anyOf/0/enum"));
        assertEquals(
                List.copyOf(new TreeSet<>(Bits.controlNames())),
                Documents.texts(SCHEMA, "/$defs/control/enum"));
        assertEquals(
                List.copyOf(new TreeSet<>(Bits.interceptNames())),
                Documents.texts(SCHEMA, "/$defs/intercept/enum"));
        assertEquals(
                List.copyOf(new TreeSet<>(Features.names())),
                Documents.texts(SCHEMA, "/$defs/feature/enum"));
        assertEquals(
                Arrays.stream(Step.values()).map(Step::text).toList(),
                Documents.texts(SCHEMA, "/$defs/step/enum"));
        assertEquals(Policies.bases(), Documents.texts(SCHEMA, "/properties/extends/anyOf/0/enum"));
    }

    static List<String> bases() {
        return Policies.bases();
    }

    /// As it is written, and resolved, when every key is there.
    @ParameterizedTest
    @MethodSource("bases")
    void takesBuiltInPolicy(String name) {
        String text = Resources.text("policies/" + name + ".yaml").orElseThrow();
        assertEquals(List.of(), Documents.errors(SCHEMA, text));
        String resolved = new Policies(_ -> Optional.empty()).resolve(name).identity().text();
        assertEquals(List.of(), Documents.errors(SCHEMA, resolved));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "extends: kvm-6.1",
                "policy: no-fs-base\nextends: kvm-6.1\nintercept: [FS_BASE]",
                "extends: my-other.yaml\nintercept: 0x48",
                "extends: kvm-6.1,spec-ctrl=v4\nspec-ctrl: {lift: value != 0u && !(host.eibrs && value == 1u)}",
                "extends: kvm-6.1\nspec-ctrl: {lift: true}"
            })
    void takesUsersPolicy(String text) {
        new Policies(name -> Optional.of(name.equals("my.yaml") ? text : "extends: kvm-6.1"))
                .resolve("my.yaml");
        assertEquals(List.of(), Documents.errors(SCHEMA, text));
    }

    /// But for MSRs, whose aliases only the program knows.
    static Stream<Bad> keys() {
        return PolicyErrorsTest.keys().filter(bad -> !bad.message().contains("unknown MSR"));
    }

    @ParameterizedTest
    @MethodSource("keys")
    void refusesWhatTheProgramRefuses(Bad bad) {
        String text = "extends: kvm-6.1\n" + bad.text() + "\n";
        assertFalse(Documents.errors(SCHEMA, text).isEmpty(), text);
    }

    static Stream<Bad> files() {
        return PolicyErrorsTest.files()
                .filter(bad -> bad.kind() == Kind.SYNTAX && bad.text().startsWith("summary"));
    }

    @ParameterizedTest
    @MethodSource("files")
    void refusesFile(Bad bad) {
        assertFalse(Documents.errors(SCHEMA, bad.text()).isEmpty(), bad.text());
    }
}

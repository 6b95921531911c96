package trapline.engine.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static trapline.engine.Bad.syntax;
import static trapline.engine.Bad.tooLarge;
import static trapline.engine.Bad.unknown;

import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import trapline.engine.Bad;
import trapline.engine.state.Vendor;
import trapline.engine.text.Yaml;

/// What users are told about host platforms and vCPU models that are wrong.
class PlatformErrorsTest {

    private static final String BUILT_IN =
            "built in are Broadwell, Skylake-Server, Icelake-Server, SapphireRapids, EPYC, EPYC-Rome, EPYC-Milan,"
                    + " EPYC-Genoa, EPYC-Turin";

    static Stream<Bad> expressions() {
        return Stream.of(
                unknown(
                        "Icelak-Server",
                        "unknown CPU 'Icelak-Server'; "
                                + BUILT_IN
                                + "; did you mean Icelake-Server?"),
                unknown(
                        "Icelak",
                        "unknown CPU 'Icelak'; " + BUILT_IN + "; did you mean Icelake-Server?"),
                unknown("", "unknown CPU ''; " + BUILT_IN),
                syntax("EPYC,", "cpu 'EPYC,': expected PROPERTY=true or PROPERTY=false, found ''"),
                syntax(
                        "EPYC,pcid",
                        "cpu 'EPYC,pcid': expected PROPERTY=true or PROPERTY=false, found 'pcid'"),
                syntax(
                        "EPYC,pcid=on",
                        "cpu 'EPYC,pcid=on': expected PROPERTY=true or PROPERTY=false, found 'pcid=on'"),
                syntax(
                        "EPYC,=true",
                        "cpu 'EPYC,=true': expected PROPERTY=true or PROPERTY=false, found '=true'"),
                unknown(
                        "EPYC,v-spec-crtl=true",
                        "cpu 'EPYC,v-spec-crtl=true': unknown property 'v-spec-crtl'; did you mean v-spec-ctrl?"));
    }

    @ParameterizedTest
    @MethodSource("expressions")
    void refusesExpression(Bad bad) {
        bad.check(() -> new Platforms(_ -> Optional.empty()).resolve(bad.text()));
    }

    static Stream<Bad> files() {
        return Stream.of(
                unknown(
                        "platform: mine\nextends: Icelake-Server\nhost: {pt: yes}",
                        "my.yaml:3:12: unknown use of PT 'yes'; expected off, on or tracing"),
                syntax(
                        "platform: mine\nextends: Icelake-Server\nprocessor-trace: {in-vmx: true, ebx: 0, ecx: 0, ranges: 5}",
                        "my.yaml:3:57: expected a number from 0 to 4, found 5"),
                syntax("", "my.yaml: the file is empty"),
                syntax("[1]", "my.yaml: a platform is a mapping"),
                syntax("platform: x\n", "my.yaml:1:1: 'features' is missing"),
                unknown("extends: x\n", "my.yaml:1:10: unknown CPU 'x'; " + BUILT_IN),
                tooLarge(
                        "extends: my.yaml\n",
                        "my.yaml:1:10: platform my.yaml extends itself, or too many"));
    }

    @ParameterizedTest
    @MethodSource("files")
    void refusesFile(Bad bad) {
        bad.check(() -> resolve(bad.text()));
    }

    /// What stands over Icelake-Server, from the second line on.
    static Stream<Bad> keys() {
        return Stream.of(
                unknown(
                        "featurs: []",
                        "2:1: unknown property 'featurs' of a platform; did you mean features?"),
                unknown("features: [FOO]", "2:12: unknown feature 'FOO'"),
                syntax("features: PCID", "2:11: expected a list, found 'PCID'"),
                unknown("features: [PCIID]", "2:12: unknown feature 'PCIID'; did you mean PCID?"),
                unknown("controls: [NO]", "2:12: unknown VMX control 'NO'"),
                unknown("without-controls: [NO]", "2:20: unknown VMX control 'NO'"),
                syntax("without-controls: NO", "2:19: expected a list, found 'NO'"),
                unknown("arch-capabilities: [FOO]", "2:21: unknown bit 'FOO' of ARCH_CAPABILITIES"),
                unknown("vendor: arm", "2:9: unknown vendor 'arm'; expected vmx or svm"),
                syntax("pcid: 5", "2:7: expected true or false, found '5'"),
                syntax("family: {family: 6}", "2:9: 'model' is missing"),
                syntax(
                        "family: {family: 6, model: 256, stepping: 0}",
                        "2:28: expected a number from 0 to 255, found 256"),
                syntax("host: 5", "2:7: expected a mapping, found '5'"),
                unknown("host: {foo: 1}", "2:8: unknown key 'foo' in host"),
                syntax(
                        "host: {spec-ctrl: x}",
                        "2:19: expected a whole number of up to 64 bits, found 'x'"),
                syntax("host: {kernel-ibrs: 1}", "2:21: expected true or false, found '1'"),
                syntax("host: {pcpus: 0}", "2:15: expected a number from 1 to 1024, found 0"));
    }

    @ParameterizedTest
    @MethodSource("keys")
    void refusesKeyOrValue(Bad bad) {
        new Bad(bad.kind(), bad.text(), "my.yaml:" + bad.message())
                .check(() -> resolve("extends: Icelake-Server\n" + bad.text() + "\n"));
    }

    static Stream<Bad> models() {
        return Stream.of(
                unknown(
                        "{ibrs-al: true}",
                        "guest-cpu:1:2: unknown CPU property 'ibrs-al'; did you mean ibrs-all?"),
                syntax("{pcid: 1}", "guest-cpu:1:8: expected true or false, found '1'"),
                syntax("[a]", "guest-cpu:1:1: expected a mapping, found a list"));
    }

    @ParameterizedTest
    @MethodSource("models")
    void refusesVcpuModel(Bad bad) {
        VcpuModel model = new VcpuModel(Vendor.VMX, 0, new TreeSet<>(), 0);
        bad.check(() -> model.with(Yaml.parse(bad.text(), "guest-cpu")));
    }

    /// Only what the silicon would not say itself is an override.
    @Test
    void overridesAreLabelled() {
        Platforms platforms = new Platforms(_ -> Optional.empty());
        assertEquals(
                Map.of("v-spec-ctrl", "false"),
                platforms.resolve("epyc-rome,v-spec-ctrl=false").synthetic());
        assertEquals(Map.of(), platforms.resolve("EPYC-Rome,v-spec-ctrl=true").synthetic());
        assertEquals(
                Map.of("pcid", "true"), platforms.resolve("EPYC-Naples, pcid = true").synthetic());
    }

    private static Platform resolve(String text) {
        return new Platforms(name -> Optional.of(text).filter(_ -> name.equals("my.yaml")))
                .resolve("my.yaml");
    }
}

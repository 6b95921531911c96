package trapline.engine.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static trapline.engine.Bad.syntax;
import static trapline.engine.Bad.tooLarge;
import static trapline.engine.Bad.unknown;

import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import trapline.engine.Bad;
import trapline.engine.text.InputException;

/// What users are told about policies that are wrong, whether in an expression or in a file.
class PolicyErrorsTest {

    private static final String BUILT_IN =
            "built in are kvm-5.4, kvm-5.15, kvm-6.1, kvm-6.6, kvm-6.12, kvm-6.18, kvm-7.1";
    private static final String VARIANTS =
            "variants are always-intercept, always-passthrough, first-nonzero, v1, v2, v3, v4, adaptive,"
                    + " adaptive-200, adaptive-as-posted, rrsba-aware";

    static Stream<Bad> expressions() {
        return Stream.of(
                unknown(
                        "kvm-6.2",
                        "unknown policy 'kvm-6.2'; " + BUILT_IN + "; did you mean kvm-6.1?"),
                unknown("", "unknown policy ''; " + BUILT_IN),
                unknown("no-such-thing", "unknown policy 'no-such-thing'; " + BUILT_IN),
                syntax(
                        "kvm-6.1,",
                        "policy 'kvm-6.1,': expected MECHANISM=VARIANT after the comma, found ''"),
                syntax(
                        "kvm-6.1,v4",
                        "policy 'kvm-6.1,v4': expected MECHANISM=VARIANT after the comma, found 'v4'"),
                unknown(
                        "kvm-6.1,spec-ctl=v4",
                        "unknown mechanism 'spec-ctl'; did you mean spec-ctrl?"),
                unknown(
                        "kvm-6.1,ibpb=never",
                        "unknown mechanism 'ibpb'; mechanisms are "
                                + String.join(", ", Policies.mechanisms())),
                unknown(
                        "kvm-6.1,eraps=merge",
                        "unknown variant 'merge' of eraps; did you mean merged?"),
                unknown(
                        "kvm-6.1,spec-ctrl=v5",
                        "unknown variant 'v5' of spec-ctrl; did you mean v1?"),
                unknown("kvm-6.1,spec-ctrl=", "unknown variant '' of spec-ctrl; " + VARIANTS),
                unknown(
                        "kvm-6.1,pass-through=",
                        "pass-through=: expected 'none', or MSRs with + or - before each"),
                unknown(
                        "kvm-6.1,pass-through=+STAR-",
                        "pass-through=+STAR-: expected 'none', or MSRs with + or - before each"),
                unknown(
                        "kvm-6.1,pass-through=+STARR",
                        "pass-through=+STARR: unknown MSR 'STARR'; did you mean STAR?"),
                unknown(
                        "kvm-6.1,spec-ctrl=v4,pass-through=none+NOTHING_LIKE_IT",
                        "pass-through=none+NOTHING_LIKE_IT: unknown MSR 'none'"));
    }

    @ParameterizedTest
    @MethodSource("expressions")
    void refusesExpression(Bad bad) {
        bad.check(() -> new Policies(_ -> Optional.empty()).resolve(bad.text()));
    }

    static Stream<Bad> files() {
        return Stream.of(
                syntax("", "my.yaml: the file is empty"),
                syntax("[1]", "my.yaml:1:1: a policy is a mapping of keys to values"),
                syntax(
                        "extends: [a",
                        "my.yaml:1:12: not YAML: while parsing a flow sequence,"
                                + " expected ',' or ']', but got <stream end>"),
                syntax(
                        "summary: x\n",
                        "my.yaml:1:1: 'extends' is missing: name the policy this one builds on"),
                unknown(
                        "summary: x\nextends: kvm-6.2\n",
                        "my.yaml:2:10: unknown policy 'kvm-6.2'; "
                                + BUILT_IN
                                + "; did you mean kvm-6.1?"),
                unknown(
                        "extends: kvm-6.1,spec-ctrl=v9\n",
                        "my.yaml:1:10: unknown variant 'v9' of spec-ctrl; did you mean v1?"),
                syntax(
                        "extends: kvm-6.1\npolicy: kvm-6.6\n",
                        "my.yaml:2:9: kvm-6.6 is built in and never changes; give this policy a name of its own"),
                syntax("extends: [kvm-6.1]\n", "my.yaml:1:10: expected a text, found a list"),
                tooLarge(
                        "extends: my.yaml\n",
                        "my.yaml:1:10: policy my.yaml extends itself, or too many"),
                syntax(
                        "extends: kvm-6.1\nextends: kvm-6.6\n",
                        "my.yaml:2:1: 'extends' stands twice"));
    }

    @ParameterizedTest
    @MethodSource("files")
    void refusesFile(Bad bad) {
        bad.check(() -> resolve(bad.text()));
    }

    /// What stands over kvm-6.1, from the second line on.
    static Stream<Bad> keys() {
        return Stream.of(
                unknown(
                        "spec-ctl: {lift: true}",
                        "2:1: unknown key 'spec-ctl' in a policy; did you mean spec-ctrl?"),
                unknown(
                        "spec-ctrl: {lfit: true}",
                        "2:13: unknown key 'lfit' in spec-ctrl; did you mean lift?"),
                syntax("spec-ctrl: true", "2:12: expected a mapping, found 'true'"),
                unknown(
                        "spec-ctrl: {start: open}",
                        "2:20: unknown start of interception 'open'; expected intercepted or passed-through"),
                unknown(
                        "spec-ctrl: {entry-bits: 16}",
                        "2:25: unknown number of bits '16'; expected 32 or 64"),
                syntax("spec-ctrl: {recalculate: [1]}", "2:26: expected a text, found a list"),
                unknown(
                        "spec-ctrl: {v-spec-ctrl: never}",
                        "2:26: unknown treatment of V_SPEC_CTRL 'never'; expected unknown, pass-through or pass-through-if-guest-has"),
                unknown(
                        "spec-ctrl-force: {by: magic}",
                        "2:23: unknown way of forcing 'magic'; expected none, shadow or intercept"),
                unknown(
                        "spec-ctrl-force: {by: shadow, set: and}",
                        "2:36: unknown rule 'and'; expected or or merge"),
                unknown(
                        "force-scope: {of: host}",
                        "2:19: unknown scope 'host'; expected vm or vcpu"),
                unknown(
                        "mitigation-msrs: {by: kvm}",
                        "2:23: unknown emulator 'kvm'; expected nobody, kernel or userspace"),
                unknown(
                        "mitigation-msrs: {by: kernel, vmcs-mask: no}",
                        "2:42: unknown treatment of the mask 'no'; expected kept or written"),
                unknown(
                        "pred-cmd: {passthrough: at-cpuid}",
                        "2:12: unknown key 'passthrough' in pred-cmd; did you mean pass-through?"),
                unknown(
                        "flush-cmd: no",
                        "2:12: unknown treatment of FLUSH_CMD 'no'; expected unsupported or at-cpuid"),
                unknown(
                        "ibpb: {vcpu-switch: never}",
                        "2:21: unknown place of the IBPB 'never'; expected vendor or common"),
                unknown(
                        "ibpb: {nested-exit: always}",
                        "2:21: unknown rule for nested exits 'always'; expected none, vmx-if-guest-has-spec-ctrl or if-guest-has-ibrs"),
                syntax(
                        "host: {bhi-mitigation: maybe}",
                        "2:24: expected true or false, found 'maybe'"),
                unknown("host: {spec-ctrl: 1}", "2:8: unknown key 'spec-ctrl' in host"),
                unknown(
                        "pt: {mode: guest}",
                        "2:12: unknown mode of PT 'guest'; expected system or host-guest"),
                unknown(
                        "pt: {switch: sometimes}",
                        "2:14: unknown time 'sometimes'; expected never, while-tracing or always"),
                unknown(
                        "pt: {swich: always}",
                        "2:6: unknown key 'swich' in pt; did you mean switch?"),
                unknown("intercept: [STRA]", "2:13: unknown MSR 'STRA'; did you mean STAR?"),
                syntax("intercept: {a: 1}", "2:12: expected a text, found a mapping"),
                syntax("pass-through: none", "2:15: expected a mapping, found 'none'"),
                syntax("pass-through: {vmx: none}", "2:21: expected a list, found 'none'"),
                unknown("pass-through: {arm: []}", "2:16: unknown key 'arm' in pass-through"),
                syntax("pass-through: {vmx: [STAR]}", "2:22: expected a mapping, found 'STAR'"),
                syntax("pass-through: {vmx: [{msr: STAR}]}", "2:22: 'access' is missing"),
                unknown(
                        "pass-through: {vmx: [{msr: STAR, access: x}]}",
                        "2:42: unknown kind of access 'x'; expected r, w or rw"),
                unknown(
                        "pass-through: {vmx: [{msr: STAR, access: rw, if: 1}]}",
                        "2:46: unknown key 'if' in an access"),
                unknown("controls: {arm: {}}", "2:12: unknown key 'arm' in controls"),
                unknown(
                        "controls: {vmx: {pin: [PIN_BASED_NMI_EXITNG]}}",
                        "2:24: unknown VMX control 'PIN_BASED_NMI_EXITNG'; did you mean PIN_BASED_NMI_EXITING?"),
                syntax(
                        "controls: {vmx: {exceptions: [32]}}",
                        "2:31: expected a number from 0 to 31, found 32"),
                syntax(
                        "controls: {vmx: {cr0-guest-owned: [64]}}",
                        "2:36: expected a number from 0 to 63, found 64"),
                unknown(
                        "controls: {svm: {intercepts: [INTERCEPT_HALT]}}",
                        "2:31: unknown SVM intercept 'INTERCEPT_HALT'; did you mean INTERCEPT_HLT?"),
                unknown(
                        "controls: {svm: {unless-guest: {INTERCEPT_RDTSCP: RDTSC}}}",
                        "2:51: unknown feature 'RDTSC'; did you mean RDTSCP?"),
                unknown(
                        "phases: {vmx: {load: [ibpb-on-swich]}}",
                        "2:23: unknown step 'ibpb-on-swich'; did you mean ibpb-on-switch?"),
                unknown(
                        "phases: {vmx: {loda: []}}",
                        "2:16: unknown key 'loda' in phases; did you mean load?"),
                unknown(
                        "nested: {vmx-merge: {rule: and}}",
                        "2:28: unknown rule of the merge 'and'; expected clear-only or or"),
                unknown(
                        "nested: {vmx-merge: {msrs: [{msr: STAR, access: rw, if: true}]}}",
                        "2:53: unknown key 'if' in an entry of the merge"));
    }

    @ParameterizedTest
    @MethodSource("keys")
    void refusesKeyOrValue(Bad bad) {
        new Bad(bad.kind(), bad.text(), "my.yaml:" + bad.message())
                .check(() -> resolve("extends: kvm-6.1\n" + bad.text() + "\n"));
    }

    /// Conditions: line and column in the file, and the place marked in the expression.
    static Stream<Bad> conditions() {
        return Stream.of(
                syntax("value = 1u", "15: unexpected '='; '==' compares\n  value = 1u\n        ^"),
                syntax(
                        "value == 1",
                        "15: '==' does not take uint and int; a u makes a number unsigned, as in 5u\n  value == 1\n        ^"),
                syntax("value", "9: expected bool, found uint\n  value\n  ^"),
                syntax(
                        "\"valu == 1u\"",
                        "10: unknown variable 'valu'; did you mean value?\n  valu == 1u\n  ^"),
                syntax(
                        "guest.ibrs",
                        "9: unknown variable 'guest.ibrs'; did you mean guest.ibrs_all?\n  guest.ibrs\n  ^"),
                syntax(
                        "hots",
                        "9: unknown variable 'hots'; variables are guest.autoibrs, guest.ibrs_all, host.eibrs, host.spec_ctrl, host.vmx,"
                                + " host_initiated, value, vcpu.exits, vcpu.exits_since, vcpu.quick_writes, vcpu.spec_ctrl\n  hots\n  ^"),
                syntax("value ==", "17: the condition ends too early\n  value ==\n          ^"),
                syntax(
                        "foo(value)",
                        "12: unknown function 'foo'; a condition has operators, int() and uint() only\n  foo(value)\n     ^"),
                syntax("value == 1u &", "21: unexpected '&'\n  value == 1u &\n              ^"),
                syntax("''", "10: expected a condition, found nothing\n  \n  ^"),
                syntax("[a]", "9: expected a text, found a list"),
                syntax(
                        "\"'1'.matches('1')\"",
                        "21: unknown function 'matches'; a condition has operators, int() and uint() only\n  '1'.matches('1')\n             ^"),
                syntax(
                        "has(host.vmx)",
                        "12: unknown function 'has'; a condition has operators, int() and uint() only\n  has(host.vmx)\n     ^"),
                syntax(
                        "value in [1u].map(x, x)",
                        "26: unknown function 'map'; a condition has operators, int() and uint() only\n  value in [1u].map(x, x)\n                   ^"),
                syntax(
                        "timestamp('1') == timestamp('2')",
                        "18: unknown function 'timestamp'; a condition has operators, int() and uint() only\n"
                                + "  timestamp('1') == timestamp('2')\n           ^"),
                syntax(
                        "System.exit",
                        "9: unknown variable 'System.exit'; variables are "
                                + "guest.autoibrs, guest.ibrs_all, host.eibrs, host.spec_ctrl, host.vmx,"
                                + " host_initiated, value, vcpu.exits, vcpu.exits_since, vcpu.quick_writes, vcpu.spec_ctrl\n  System.exit\n  ^"),
                syntax(
                        "(".repeat(100) + "true" + ")".repeat(100),
                        "9: the condition is nested too deeply\n  " + "(".repeat(50) + "…\n  ^"),
                tooLarge(
                        "value == 1u || ".repeat(64) + "true",
                        "9: a condition costs at most 256, one for each name, constant and operation; this one costs 257"),
                tooLarge(
                        "value == 1u || ".repeat(400) + "true",
                        "9: a condition has at most 4096 characters"));
    }

    @ParameterizedTest
    @MethodSource("conditions")
    void refusesCondition(Bad bad) {
        new Bad(bad.kind(), bad.text(), "my.yaml:3:" + bad.message())
                .check(() ->
                        resolve("extends: kvm-6.1\nspec-ctrl:\n  lift: " + bad.text() + "\n")
                                .specCtrl()
                                .lift()
                                .check());
    }

    /// However YAML folds a condition, its places are those of the file.
    @ParameterizedTest
    @CsvSource({
        "'lift: >\n    value != 0u\n    && valu == 1u\n', 5:8",
        "'lift: |-\n    value != 0u\n    && valu == 1u\n', 5:8",
        "'lift: value != 0u\n    && valu == 1u\n', 4:8",
        "'lift:\n    value != 0u &&\n    valu == 1u\n', 5:5",
        "'lift: \"value != 0u\n    && valu == 1u\"\n', 4:8",
        "'lift:   ''value in [1u] && valu == 1u''\n', 3:29",
        "'lift: \"value != 0u \\u0026& valu == 1u\"\n', 3:9"
    })
    void tellsPlacesInFoldedConditions(String lift, String place) {
        InputException wrong =
                assertThrows(
                        InputException.class,
                        () ->
                                resolve("extends: kvm-6.1\nspec-ctrl:\n  " + lift)
                                        .specCtrl()
                                        .lift()
                                        .check());
        assertEquals("my.yaml:" + place, wrong.place());
    }

    /// Files that build on one another in a circle, or in too long a chain; an error below names the file it is in.
    @Test
    void refusesCircles() {
        Map<String, String> files = Map.of("a", "extends: b\n", "b", "extends: a\n");
        tooLarge("a", "a:1:10: policy b extends itself, or too many")
                .check(() ->
                        new Policies(name -> Optional.ofNullable(files.get(name))).resolve("a"));
        Policies chain =
                new Policies(name ->
                        Optional.of(
                                "extends: " + (name.equals("x".repeat(17)) ? "loop" : name + "x")));
        tooLarge("x", "x".repeat(17) + ":1:10: policy loop extends itself, or too many")
                .check(() -> chain.resolve("x"));
        Map<String, String> two =
                Map.of(
                        "top",
                        "extends: low\n",
                        "low",
                        "extends: kvm-6.1\nspec-ctrl: {lfit: true}\n");
        unknown("top", "low:2:13: unknown key 'lfit' in spec-ctrl; did you mean lift?")
                .check(() ->
                        new Policies(name -> Optional.ofNullable(two.get(name))).resolve("top"));
    }

    private static Policy resolve(String text) {
        return new Policies(name -> Optional.of(text).filter(_ -> name.equals("my.yaml")))
                .resolve("my.yaml");
    }
}

package trapline.replayer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import trapline.engine.cpu.Platform;
import trapline.engine.cpu.Platforms;
import trapline.engine.policy.Policies;
import trapline.engine.policy.Policy;

/// What is said of variants that are thought experiments on a platform, or cannot change anything there.
class DiffNotesTest {

    private static final String USERS = "extends: kvm-6.1,spec-ctrl=rrsba-aware\n";

    private static Policy policy(String expression) {
        return new Policies(name -> Optional.of(USERS).filter(_ -> name.equals("mine.yaml")))
                .resolve(expression);
    }

    private static List<String> notes(String cpu, String base, String candidate) {
        Platform platform = new Platforms(_ -> Optional.empty()).resolve(cpu);
        return Diff.notes(platform, policy(base), policy(candidate));
    }

    @ParameterizedTest
    @CsvSource({"v1", "v2", "v3", "v4", "rrsba-aware"})
    void rulesForVmxAreCounterfactualOnSvm(String variant) {
        assertEquals(
                List.of(
                        "spec-ctrl=%s: counterfactual, the rule was proposed for VMX only"
                                .formatted(variant)),
                notes("EPYC-Milan", "kvm-5.4", "kvm-5.4,spec-ctrl=" + variant));
    }

    /// 5.4 does not know V_SPEC_CTRL. Adaptive rules are for both vendors.
    @ParameterizedTest
    @CsvSource({"adaptive", "adaptive-200", "first-nonzero", "always-passthrough"})
    void rulesForBothAreNot(String variant) {
        assertEquals(List.of(), notes("EPYC-Milan", "kvm-5.4", "kvm-5.4,spec-ctrl=" + variant));
        assertEquals(
                List.of(
                        "spec-ctrl=%s: no effect, EPYC-Milan switches SPEC_CTRL itself (V_SPEC_CTRL)"
                                .formatted(variant)),
                notes("EPYC-Milan", "kvm-6.1", "kvm-6.1,spec-ctrl=" + variant));
    }

    /// The one rule that keeps exits where hardware would make them needless.
    @Test
    void alwaysInterceptHasAnEffectEverywhere() {
        assertEquals(
                List.of(), notes("EPYC-Milan", "kvm-6.1", "kvm-6.1,spec-ctrl=always-intercept"));
    }

    @Test
    void variantsBelowAUsersPolicyCount() {
        assertEquals(
                List.of(
                        "spec-ctrl=rrsba-aware: no effect, EPYC-Milan switches SPEC_CTRL itself (V_SPEC_CTRL)"),
                notes("EPYC-Milan", "kvm-6.1", "mine.yaml"));
        assertEquals(List.of(), notes("Icelake-Server", "kvm-6.1", "mine.yaml"));
    }

    @Test
    void bothSidesAndThePlatformAreTold() {
        assertEquals(
                List.of(
                        "spec-ctrl=v1: counterfactual, the rule was proposed for VMX only",
                        "spec-ctrl=v4: counterfactual, the rule was proposed for VMX only",
                        "platform EPYC-Rome is synthetic: v-spec-ctrl=false"),
                notes(
                        "EPYC-Rome,v-spec-ctrl=false",
                        "kvm-6.1,spec-ctrl=v1",
                        "kvm-6.1,spec-ctrl=v4"));
    }
}

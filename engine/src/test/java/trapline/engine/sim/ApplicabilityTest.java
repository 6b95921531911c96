package trapline.engine.sim;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import trapline.engine.cpu.Platforms;
import trapline.engine.policy.Policies;
import trapline.engine.policy.Policy;
import trapline.engine.policy.Policy.Choice;

/// Which variants were chosen is known to the end, and held against the platform.
class ApplicabilityTest {

    private static Policy policy(String expression) {
        return new Policies(name ->
                name.equals("my.yaml")
                        ? Optional.of("extends: kvm-6.1,spec-ctrl=v1\npolicy: my")
                        : Optional.empty())
                .resolve(expression);
    }

    @Test
    void keepsTheLastChoiceOfEachMechanism() {
        assertEquals(List.of(), policy("kvm-6.1").identity().chosen());
        assertEquals(
                List.of(new Choice("spec-ctrl", "v4")),
                policy("kvm-6.1,spec-ctrl=v3,spec-ctrl=v4").identity().chosen());
        assertEquals(List.of(new Choice("spec-ctrl", "v1")), policy("my.yaml").identity().chosen());
    }

    /// v4 was proposed for VMX; on SVM it is a thought, not an error.
    @Test
    void letsCounterfactualVariantsPass() {
        assertDoesNotThrow(() ->
                Applicability.check(
                        policy("kvm-6.1,spec-ctrl=v4"),
                        new Platforms(_ -> Optional.empty()).resolve("EPYC-Rome")));
    }
}

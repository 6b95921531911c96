package trapline.engine.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import trapline.engine.policy.PolicyFields.Difference;

class PolicyFieldsTest {

    private static Policy.Identity policy(String expression) {
        return new Policies(_ -> Optional.empty()).resolve(expression).identity();
    }

    private static List<String> changed(String base, String candidate) {
        return PolicyFields.differences(policy(base), policy(candidate)).stream()
                .map(Difference::field)
                .toList();
    }

    @Test
    void namesTheFieldsThatAVariantChanges() {
        assertEquals(
                List.of(
                        new Difference(
                                "spec-ctrl.lift",
                                "value != 0u",
                                "value != 0u && !(guest.ibrs_all && value == 1u)")),
                PolicyFields.differences(policy("kvm-6.1"), policy("kvm-6.1,spec-ctrl=v4")));
    }

    @Test
    void aListIsOneField() {
        assertEquals(
                List.of("pass-through.svm", "pass-through.vmx"),
                changed("kvm-6.1", "kvm-6.1,pass-through=-FS_BASE"));
    }

    @Test
    void aPolicyUnderAnotherNameDiffersInNothing() {
        assertEquals(List.of(), changed("kvm-6.1", "kvm-6.1,spec-ctrl=first-nonzero"));
    }
}

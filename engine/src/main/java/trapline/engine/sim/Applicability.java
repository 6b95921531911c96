package trapline.engine.sim;

import java.util.List;
import trapline.engine.cpu.Platform;
import trapline.engine.policy.Policies;
import trapline.engine.policy.Policy;
import trapline.engine.policy.Policy.Choice;
import trapline.engine.state.Vendor;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;
import trapline.engine.text.Node;

/// Whether a host can have the variants that a policy's user chose by name.
public final class Applicability {

    private Applicability() {}

    /// Refuses a variant that was made for another vendor, or needs what the platform lacks.
    public static void check(Policy policy, Platform platform) {
        for (Choice choice : policy.identity().chosen()) {
            Policies.find(choice).ifPresent(variant -> check(choice, variant, platform));
        }
    }

    private static void check(Choice choice, Node variant, Platform platform) {
        String vendor = platform.vendor() == Vendor.VMX ? "vmx" : "svm";
        if (!texts(variant, "vendors").isEmpty()
                && !texts(variant, "vendors").contains(vendor)
                && !isCounterfactual(variant, platform)) {
            throw refusal(
                    choice,
                    platform,
                    "it is for " + (vendor.equals("vmx") ? "AMD SVM" : "Intel VMX") + " only");
        }
        for (String needed : texts(variant, "platform")) {
            if (!platform.has(needed) && !platform.controls().contains(needed)) {
                throw refusal(choice, platform, "the platform has no " + needed);
            }
        }
    }

    /// Whether a variant was proposed for the other vendor, and is thought through on this one.
    public static boolean isCounterfactual(Node variant, Platform platform) {
        return texts(variant, "counterfactual")
                .contains(platform.vendor() == Vendor.VMX ? "vmx" : "svm");
    }

    private static List<String> texts(Node variant, String key) {
        return variant.find(key).map(Node::items).orElse(List.of()).stream()
                .map(Node::text)
                .toList();
    }

    private static InputException refusal(Choice choice, Platform platform, String why) {
        return new InputException(
                Kind.NOT_APPLICABLE,
                "",
                "%s cannot apply to %s: %s".formatted(choice, platform.name(), why));
    }
}

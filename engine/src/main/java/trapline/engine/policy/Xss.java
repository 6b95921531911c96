package trapline.engine.policy;

import java.util.List;
import java.util.Optional;
import trapline.engine.table.Features;
import trapline.engine.table.StateComponents;
import trapline.engine.text.Node;

/// Supervisor state of XSAVE: what a guest may have in IA32_XSS, and who keeps it apart from the host's.
///
/// Masks of components. A policy without the key lets a guest write IA32_XSS like any other MSR that nothing
/// depends on, and knows no CET.
///
/// @param known whether the policy has the key
/// @param gate whose accesses of IA32_XSS it takes at all
/// @param supported what a guest may set, where the platform has it
/// @param exiting what it may set besides, with every XSAVES and XRSTORS of it intercepted and emulated (VMX)
/// @param fpu what is loaded and put with the guest's FPU state
/// @param cet whether IBT and SHSTK are offered, and their MSRs emulated and passed through
/// @param host what the host's own kernel has in IA32_XSS, where the platform has it
public record Xss(
        boolean known, Gate gate, long supported, long exiting, long fpu, boolean cet, long host) {

    /// @param vmx whether VMX's code knows the MSR
    /// @param features what the guest's CPUID must show
    /// @param userspace whether that holds for userspace's accesses, too
    public record Gate(boolean vmx, boolean svm, List<String> features, boolean userspace) {}

    private static final Xss ABSENT =
            new Xss(false, new Gate(false, false, List.of(), false), 0, 0, 0, false, 0);

    static Xss read(Optional<Node> key) {
        if (key.isEmpty()) {
            return ABSENT;
        }
        Node node = key.get();
        node.allow(
                "xss",
                List.of(
                        "vendors",
                        "guest-needs",
                        "userspace-needs",
                        "supported",
                        "exiting",
                        "fpu",
                        "cet",
                        "host"));
        List<String> vendors =
                node.require("vendors").items().stream()
                        .map(vendor -> vendor.oneOf(List.of("vmx", "svm"), "vendor"))
                        .toList();
        return new Xss(
                true,
                new Gate(
                        vendors.contains("vmx"),
                        vendors.contains("svm"),
                        node.require("guest-needs").items().stream()
                                .map(feature -> feature.oneOf(Features.names(), "feature"))
                                .toList(),
                        node.require("userspace-needs").bool()),
                components(node.require("supported")),
                components(node.require("exiting")),
                components(node.require("fpu")),
                node.require("cet")
                        .oneOf(List.of("hidden", "offered"), "treatment of CET")
                        .equals("offered"),
                components(node.require("host")));
    }

    private static long components(Node names) {
        long mask = 0;
        for (Node name : names.items()) {
            mask |=
                    StateComponents.named(
                            name.oneOf(StateComponents.supervisorNames(), "state component"));
        }
        return mask;
    }
}

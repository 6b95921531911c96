package trapline.engine.policy;

import java.util.List;
import java.util.Optional;
import trapline.engine.text.Node;

/// `mitigation-msrs`: who emulates the virtual MSRs in which a guest tells of its software mitigations (FACTS 2.4).
///
/// @param writesMask whether what the guest tells reaches the mask in the VMCS at once; else the mask stays
///     as the VMCS's making or a nested entry left it
public record MitigationMsrs(By by, boolean writesMask) {

    public enum By {
        NOBODY,
        KERNEL,
        /// The VMM, through an MSR filter and a vCPU's ioctl.
        USERSPACE
    }

    static MitigationMsrs read(Optional<Node> key) {
        if (key.isEmpty()) {
            return new MitigationMsrs(By.NOBODY, false);
        }
        Node node = key.get();
        node.allow("mitigation-msrs", List.of("by", "vmcs-mask"));
        String by = node.require("by").oneOf(List.of("nobody", "kernel", "userspace"), "emulator");
        String mask =
                node.find("vmcs-mask")
                        .map(n -> n.oneOf(List.of("kept", "written"), "treatment of the mask"))
                        .orElse("kept");
        return new MitigationMsrs(
                switch (by) {
                    case "nobody" -> By.NOBODY;
                    case "kernel" -> By.KERNEL;
                    default -> By.USERSPACE;
                },
                mask.equals("written"));
    }
}

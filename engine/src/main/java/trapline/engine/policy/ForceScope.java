package trapline.engine.policy;

import java.util.List;
import java.util.Optional;
import trapline.engine.text.Node;

/// `force-scope`: for what userspace has bits of SPEC_CTRL forced (FACTS 2.3 and 2.5).
///
/// @param perVcpu whether for each vCPU, whenever it likes; else for the VM, before that has vCPUs
public record ForceScope(boolean perVcpu) {

    static ForceScope read(Optional<Node> key) {
        if (key.isEmpty()) {
            return new ForceScope(false);
        }
        Node node = key.get();
        node.allow("force-scope", List.of("of"));
        return new ForceScope(
                node.require("of").oneOf(List.of("vm", "vcpu"), "scope").equals("vcpu"));
    }
}

package trapline.engine.policy;

import java.util.List;
import trapline.engine.text.Node;
import trapline.engine.text.Node.Mapping;

/// What the hypervisor does in each mechanism beside SPEC_CTRL: one record for each.
///
/// A mechanism's key is its name; a policy without the key does what trees did before they knew of it.
///
/// @param npt whether guests have nested page tables on AMD (KVM's module parameter), not shadow page tables
public record Mechanisms(
        PtPolicy pt,
        MsrFiltering msrFilter,
        SpecCtrlForce specCtrlForce,
        ForceScope forceScope,
        MitigationMsrs mitigationMsrs,
        Eraps eraps,
        boolean npt,
        Xss xss) {

    /// The keys of a policy that are read here.
    static final List<String> KEYS =
            List.of(
                    "pt",
                    MsrFiltering.KEY,
                    "spec-ctrl-force",
                    "force-scope",
                    "mitigation-msrs",
                    "eraps",
                    "npt",
                    "xss");

    static Mechanisms read(Mapping policy) {
        return new Mechanisms(
                PtPolicy.read(policy.find("pt")),
                MsrFiltering.read(policy.find(MsrFiltering.KEY)),
                SpecCtrlForce.read(policy.find("spec-ctrl-force")),
                ForceScope.read(policy.find("force-scope")),
                MitigationMsrs.read(policy.find("mitigation-msrs")),
                Eraps.read(policy.find("eraps")),
                policy.find("npt").map(Node::bool).orElse(true),
                Xss.read(policy.find("xss")));
    }
}

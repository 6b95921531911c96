package trapline.engine.exit;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import trapline.engine.cpu.ArchCapabilities;
import trapline.engine.cpu.Platform;
import trapline.engine.cpu.VcpuModel;
import trapline.engine.policy.MitigationMsrs;
import trapline.engine.policy.Policy;
import trapline.engine.state.Vendor;

/// The vCPU model that userspace takes if it takes all that KVM offers on a host (`kvm_set_cpu_caps`).
public final class OfferedModel {

    /// What the hypervisor keeps for itself, or what these trees do not know.
    private static final List<String> NEVER =
            List.of("V_SPEC_CTRL", "LS_CFG_SSBD", "VIRT_SSBD", "IDLE_HLT");

    private OfferedModel() {}

    public static VcpuModel of(Platform platform, Policy policy) {
        TreeSet<String> features = new TreeSet<>(platform.features());
        NEVER.forEach(features::remove);
        derive(features);
        if (platform.has("LS_CFG_SSBD") && !features.contains("AMD_SSBD")) {
            features.add("VIRT_SSBD");
        }
        if (!policy.commands().flushCmd()) {
            features.remove("FLUSH_L1D");
        }
        if (!policy.commands().sbpb()) {
            features.remove("SBPB");
        }
        if (!PtMsrs.hostGuest(platform, policy)) {
            features.remove("INTEL_PT");
        }
        boolean eraps =
                switch (policy.mechanisms().eraps().offer()) {
                    case NEVER -> false;
                    case WITH_NPT -> Setup.npt(platform, policy);
                    case ALWAYS -> true;
                };
        if (!Setup.npt(platform, policy)) {
            features.removeAll(List.of("NPT", "V_VMSAVE_VMLOAD"));
        }
        if (!eraps) {
            features.remove("ERAPS");
        }
        if (!SupervisorState.cetOffered(platform, policy)) {
            features.remove("IBT");
            features.remove("SHSTK");
        }
        boolean cet = features.contains("IBT") || features.contains("SHSTK");
        boolean intel = platform.vendor() == Vendor.VMX;
        if (intel) {
            features.add("ARCH_CAPABILITIES");
        }
        return new VcpuModel(
                platform.vendor(),
                platform.description().signature(),
                features,
                intel ? archCapabilities(platform, policy) : 0,
                platform.trace(),
                platform.has("ERAPS") ? platform.predictor().entries() : 0,
                SupervisorState.offered(platform, policy, cet));
    }

    private static long archCapabilities(Platform platform, Policy policy) {
        boolean virtual = policy.mechanisms().mitigationMsrs().by() != MitigationMsrs.By.NOBODY;
        return ArchCapabilities.offered(platform.archCapabilities())
                | (virtual ? ArchCapabilities.VIRTUAL_ENUM : 0);
    }

    /// One vendor's bits from the other's, where the host has what they stand for (FACTS 1.2).
    private static void derive(Set<String> features) {
        pair(features, "INTEL_STIBP", "AMD_STIBP");
        pair(features, "SPEC_CTRL_SSBD", "AMD_SSBD");
        if (features.contains("SPEC_CTRL")) {
            features.add("AMD_IBPB");
            features.add("AMD_IBRS");
        }
    }

    private static void pair(Set<String> features, String one, String other) {
        if (features.contains(one) || features.contains(other)) {
            features.add(one);
            features.add(other);
        }
    }
}

package trapline.engine.rule;

import java.util.List;
import java.util.Optional;
import trapline.engine.event.Kvm;
import trapline.engine.event.Moment;
import trapline.engine.rule.Rules.Scene;
import trapline.engine.state.VcpuState;
import trapline.engine.state.Vendor;
import trapline.engine.table.Msrs;

/// `forced-bits`: judged by what the hardware holds while the guest runs, which a write without an exit changes, too.
final class ForcedBits implements Rule {

    private final Scene scene;

    ForcedBits(Scene scene) {
        this.scene = scene;
    }

    @Override
    public List<Moment> moments() {
        return scene.machine().config().vendor() == Vendor.VMX
                ? List.of(Moment.ENTRY, Moment.GUEST_WROTE)
                : List.of();
    }

    @Override
    public Optional<String> judge(Moment moment, VcpuState vcpu) {
        long mask = vcpu.kvm(Kvm.FORCE_MASK);
        if (mask == 0) {
            return Optional.empty();
        }
        long runs = scene.machine().pcpuOf(vcpu).msr(Msrs.SPEC_CTRL);
        long wanted = vcpu.kvm(Kvm.FORCE_VALUE);
        return (runs & mask) == wanted
                ? Optional.empty()
                : Optional.of(
                        "the guest runs with SPEC_CTRL 0x%x, of which 0x%x is to be 0x%x"
                                .formatted(runs, mask, wanted));
    }
}

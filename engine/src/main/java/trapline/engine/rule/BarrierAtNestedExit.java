package trapline.engine.rule;

import java.util.List;
import java.util.Optional;
import trapline.engine.event.Envelope;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.Moment;
import trapline.engine.rule.Rules.Scene;
import trapline.engine.state.VcpuState;
import trapline.engine.table.Msrs;

/// `ibpb-nested-exit`. IBRS parts modes, and L1 and L2 are one to the processor, unless it says otherwise.
final class BarrierAtNestedExit implements Rule {

    private final boolean needed;
    private final boolean[] l2Ran;

    BarrierAtNestedExit(Scene scene) {
        boolean guestHasIbrs =
                scene.setup().model().has("SPEC_CTRL") || scene.setup().model().has("AMD_IBRS");
        needed =
                guestHasIbrs
                        && scene.setup().hardware().hasIbpb()
                        && !scene.setup().platform().has("AMD_IBRS_SAME_MODE");
        l2Ran = new boolean[scene.machine().vcpus()];
    }

    @Override
    public void note(Envelope envelope) {
        int vcpu = envelope.stamp().vcpu();
        switch (envelope.event()) {
            case HostMsrWritten e when e.msr() == Msrs.PRED_CMD && (e.value() & 1) != 0 ->
                    l2Ran[vcpu] = false;
            case VmEntered e when e.level() == 2 -> l2Ran[vcpu] = true;
            default -> {}
        }
    }

    @Override
    public List<Moment> moments() {
        return needed ? List.of(Moment.ENTRY) : List.of();
    }

    @Override
    public Optional<String> judge(Moment moment, VcpuState vcpu) {
        return vcpu.level() == 1 && l2Ran[vcpu.id()]
                ? Optional.of("L1 runs after L2, without an IBPB between")
                : Optional.empty();
    }
}

package trapline.engine.rule;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import trapline.engine.event.Envelope;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.Moment;
import trapline.engine.rule.Rules.Scene;
import trapline.engine.state.VcpuState;
import trapline.engine.table.Msrs;

/// `ibpb-vcpu-switch`, by pCPU: who ran there since the last barrier.
final class BarrierBetweenVcpus implements Rule {

    private static final int NOBODY = -1;

    private final Scene scene;
    private final int[] ran;

    BarrierBetweenVcpus(Scene scene) {
        this.scene = scene;
        ran = new int[scene.machine().pcpus()];
        Arrays.fill(ran, NOBODY);
    }

    @Override
    public void note(Envelope envelope) {
        switch (envelope.event()) {
            case HostMsrWritten e when e.msr() == Msrs.PRED_CMD && (e.value() & 1) != 0 ->
                    ran[envelope.stamp().pcpu()] = NOBODY;
            case VmEntered _ -> ran[envelope.stamp().pcpu()] = envelope.stamp().vcpu();
            default -> {}
        }
    }

    @Override
    public List<Moment> moments() {
        return scene.setup().hardware().hasIbpb() ? List.of(Moment.ENTRY) : List.of();
    }

    @Override
    public Optional<String> judge(Moment moment, VcpuState vcpu) {
        int before = ran[vcpu.pcpu()];
        return before == NOBODY || before == vcpu.id()
                ? Optional.empty()
                : Optional.of(
                        "vCPU %d runs on pCPU %d after vCPU %d, without an IBPB between"
                                .formatted(vcpu.id(), vcpu.pcpu(), before));
    }
}

package trapline.engine.rule;

import java.util.List;
import java.util.Optional;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent.ExtendedStateMoved;
import trapline.engine.event.GuestEvent.StateInstruction;
import trapline.engine.event.Moment;
import trapline.engine.rule.Rules.Scene;
import trapline.engine.state.VcpuState;
import trapline.engine.table.Msrs;

/// `xsaves-bypass`: what L0 passes through is asked, for L2, too: what L1 keeps from it is L1's affair.
final class XsavesBypass implements Rule {

    private final Scene scene;
    private final ExtendedStateMoved[] moved;

    XsavesBypass(Scene scene) {
        this.scene = scene;
        moved = new ExtendedStateMoved[scene.machine().vcpus()];
    }

    @Override
    public List<Moment> moments() {
        boolean possible = scene.setup().platform().extendedStates().supervisor() != 0;
        return possible ? List.of(Moment.GUEST_MOVED_STATE) : List.of();
    }

    @Override
    public void note(Envelope envelope) {
        if (envelope.event() instanceof ExtendedStateMoved e) {
            moved[envelope.stamp().vcpu()] = e;
        }
    }

    @Override
    public Optional<String> judge(Moment moment, VcpuState vcpu) {
        ExtendedStateMoved e = moved[vcpu.id()];
        boolean write = e.instruction() == StateInstruction.XRSTORS;
        for (int i = 0; i < e.values().size(); i++) {
            int msr = e.values().msr(i);
            if (vcpu.bitmap(1).exits(msr, write)) {
                return Optional.of(
                        "%s %s %s behind the MSR bitmap, which intercepts it"
                                .formatted(
                                        e.instruction(),
                                        write ? "writes" : "reads",
                                        Msrs.name(msr)));
            }
        }
        return Optional.empty();
    }
}

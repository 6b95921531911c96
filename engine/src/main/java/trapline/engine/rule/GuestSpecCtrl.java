package trapline.engine.rule;

import java.util.List;
import java.util.Optional;
import trapline.engine.cpu.svm.Vmcb;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.HypervisorEvent.UserspaceMsrStored;
import trapline.engine.event.Kvm;
import trapline.engine.event.Moment;
import trapline.engine.event.Outcome;
import trapline.engine.rule.Rules.Scene;
import trapline.engine.state.VcpuState;
import trapline.engine.table.Msrs;

/// `guest-spec-ctrl`. L1 and L2 share the MSR; whoever wrote last, that is what runs. With V_SPEC_CTRL the
/// processor runs a guest with the bits of both, its own and the host's. Forced bits are `forced-bits`'s.
final class GuestSpecCtrl implements Rule {

    private final Scene scene;
    private final long[] wrote;

    GuestSpecCtrl(Scene scene) {
        this.scene = scene;
        wrote = new long[scene.machine().vcpus()];
    }

    @Override
    public void note(Envelope envelope) {
        int vcpu = envelope.stamp().vcpu();
        switch (envelope.event()) {
            case MsrWritten e when e.msr() == Msrs.SPEC_CTRL && e.outcome() == Outcome.DONE ->
                    wrote[vcpu] = e.value();
            case UserspaceMsrStored e
                    when e.msr() == Msrs.SPEC_CTRL && e.outcome() == Outcome.DONE ->
                    wrote[vcpu] = e.value();
            default -> {}
        }
    }

    @Override
    public List<Moment> moments() {
        return scene.setup().hardware().hasSpecCtrl() ? List.of(Moment.ENTRY) : List.of();
    }

    @Override
    public Optional<String> judge(Moment moment, VcpuState vcpu) {
        boolean union = scene.machine().config().vSpecCtrl();
        long held = scene.machine().pcpuOf(vcpu).msr(Msrs.SPEC_CTRL);
        long runs = union ? held | vcpu.current().get(Vmcb.SPEC_CTRL) : held;
        long wanted = wrote[vcpu.id()] | (union ? scene.setup().hostSpecCtrl() : 0);
        return ((runs ^ wanted) & ~vcpu.kvm(Kvm.FORCE_MASK)) == 0
                ? Optional.empty()
                : Optional.of(
                        "the guest runs with SPEC_CTRL 0x%x, it wrote 0x%x"
                                .formatted(runs, wrote[vcpu.id()]));
    }
}

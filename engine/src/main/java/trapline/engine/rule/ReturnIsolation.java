package trapline.engine.rule;

import java.util.List;
import java.util.Optional;
import trapline.engine.cpu.svm.Vmcb;
import trapline.engine.event.Moment;
import trapline.engine.rule.Rules.Scene;
import trapline.engine.state.Image;
import trapline.engine.state.VcpuState;

/// `rap-isolation`. A processor with ERAPS keeps a guest's return addresses from its host's, so L2's from L1's, too.
final class ReturnIsolation implements Rule {

    private final Scene scene;
    private final boolean needed;
    private final boolean tlbControlClears;

    /// Whether TLB_CONTROL was set at an entry since a vCPU's other level left what is there.
    private final boolean[] tlbFlushed;

    ReturnIsolation(Scene scene) {
        this.scene = scene;
        needed = scene.setup().tagsReturns() && scene.setup().model().has("ERAPS");
        tlbFlushed = new boolean[scene.machine().vcpus()];
        tlbControlClears = scene.setup().platform().predictor().tlbControlClears();
    }

    @Override
    public List<Moment> moments() {
        return needed ? List.of(Moment.ENTRY) : List.of();
    }

    @Override
    public Optional<String> judge(Moment moment, VcpuState vcpu) {
        if (!scene.machine().pcpuOf(vcpu).returns().holdsOtherLevel(vcpu)) {
            tlbFlushed[vcpu.id()] = false;
            return Optional.empty();
        }
        Image vmcb = vcpu.current();
        boolean flushes = vmcb.get(Vmcb.TLB_CONTROL) != 0;
        if (vmcb.has(Vmcb.ERAP_CONTROL, Vmcb.CLEAR_RAP) || (flushes && tlbControlClears)) {
            tlbFlushed[vcpu.id()] = false;
            return Optional.empty();
        }
        tlbFlushed[vcpu.id()] |= flushes;
        return Optional.of(
                "L%d runs with return addresses of L%d in the predictor%s"
                        .formatted(
                                vcpu.level(),
                                3 - vcpu.level(),
                                tlbFlushed[vcpu.id()]
                                        ? ", if TLB_CONTROL does not clear it"
                                                + " (tlb-control-clears-rap=false)"
                                        : ""));
    }
}

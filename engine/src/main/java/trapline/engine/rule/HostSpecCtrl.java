package trapline.engine.rule;

import java.util.List;
import java.util.Optional;
import trapline.engine.event.Moment;
import trapline.engine.rule.Rules.Scene;
import trapline.engine.state.VcpuState;
import trapline.engine.table.Msrs;

/// `host-spec-ctrl`. Where the processor switches the MSR itself, what it holds between is the host's.
final class HostSpecCtrl implements Rule {

    private final Scene scene;

    HostSpecCtrl(Scene scene) {
        this.scene = scene;
    }

    @Override
    public List<Moment> moments() {
        return scene.setup().hardware().hasSpecCtrl()
                ? List.of(Moment.HANDLER, Moment.PUT)
                : List.of();
    }

    @Override
    public Optional<String> judge(Moment moment, VcpuState vcpu) {
        long own = scene.setup().hostSpecCtrl();
        long held = scene.machine().pcpuOf(vcpu).msr(Msrs.SPEC_CTRL);
        return held == own
                ? Optional.empty()
                : Optional.of(
                        "the host runs with SPEC_CTRL 0x%x, its own is 0x%x".formatted(held, own));
    }
}

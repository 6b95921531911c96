package trapline.engine.rule;

import java.util.List;
import java.util.Optional;
import trapline.engine.event.Moment;
import trapline.engine.rule.Rules.Scene;
import trapline.engine.state.PcpuState;
import trapline.engine.state.VcpuState;
import trapline.engine.table.Msrs;
import trapline.engine.table.StateComponents;

/// `host-xstate`: XCR0 and IA32_XSS after every exit; other supervisor state once the vCPU is put.
///
/// Until then the host's kernel may run with the guest's: it does not use that state itself (FACTS 4.5). PT has a
/// rule of its own.
final class HostExtendedState implements Rule {

    private final Scene scene;
    private final int[] msrs;

    HostExtendedState(Scene scene) {
        this.scene = scene;
        long components = scene.setup().platform().extendedStates().supervisor();
        msrs = StateComponents.msrs(components & ~StateComponents.named("PT"));
    }

    @Override
    public List<Moment> moments() {
        return scene.setup().platform().extendedStates().known()
                ? List.of(Moment.HANDLER, Moment.PUT)
                : List.of();
    }

    @Override
    public Optional<String> judge(Moment moment, VcpuState vcpu) {
        PcpuState pcpu = scene.machine().pcpuOf(vcpu);
        if (pcpu.xcr0() != scene.setup().supervisor().hostXcr0()) {
            return wrong("XCR0", pcpu.xcr0(), scene.setup().supervisor().hostXcr0());
        }
        if (pcpu.msr(Msrs.XSS) != scene.setup().supervisor().hostXss()) {
            return wrong("IA32_XSS", pcpu.msr(Msrs.XSS), scene.setup().supervisor().hostXss());
        }
        if (moment == Moment.PUT) {
            for (int msr : msrs) {
                long own = scene.machine().config().hostMsrs(pcpu.id()).getOrDefault(msr, 0L);
                if (pcpu.msr(msr) != own) {
                    return wrong(Msrs.name(msr), pcpu.msr(msr), own);
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<String> wrong(String name, long held, long own) {
        return Optional.of(
                "the host runs with %s 0x%x, its own is 0x%x".formatted(name, held, own));
    }
}

package trapline.engine.rule;

import java.util.List;
import java.util.Optional;
import trapline.engine.cpu.Execute;
import trapline.engine.event.Moment;
import trapline.engine.event.Reg;
import trapline.engine.rule.Rules.Scene;
import trapline.engine.state.PcpuState;
import trapline.engine.state.VcpuState;
import trapline.engine.table.Msrs;
import trapline.engine.table.StateComponents;

/// `guest-xstate`: XCR0 and IA32_XSS while the guest can use them, and the CET MSRs of a guest that has them.
final class GuestExtendedState implements Rule {

    private final Scene scene;
    private final int[] cet;

    GuestExtendedState(Scene scene) {
        this.scene = scene;
        long components = scene.setup().supervisor().cet() ? StateComponents.CET : 0;
        cet = StateComponents.msrs(components);
    }

    @Override
    public List<Moment> moments() {
        return scene.setup().platform().extendedStates().known()
                ? List.of(Moment.ENTRY)
                : List.of();
    }

    @Override
    public Optional<String> judge(Moment moment, VcpuState vcpu) {
        PcpuState pcpu = scene.machine().pcpuOf(vcpu);
        if (Execute.hasXsave(vcpu)) {
            if (pcpu.xcr0() != vcpu.register(Reg.XCR0)) {
                return wrong("XCR0", pcpu.xcr0(), vcpu.register(Reg.XCR0));
            }
            boolean usable = scene.setup().supervisor().xssUsable();
            if (usable && pcpu.msr(Msrs.XSS) != vcpu.msr(Msrs.XSS)) {
                return wrong("IA32_XSS", pcpu.msr(Msrs.XSS), vcpu.msr(Msrs.XSS));
            }
        }
        for (int msr : cet) {
            if (pcpu.msr(msr) != vcpu.msr(msr)) {
                return wrong(Msrs.name(msr), pcpu.msr(msr), vcpu.msr(msr));
            }
        }
        return Optional.empty();
    }

    private static Optional<String> wrong(String name, long held, long wanted) {
        return Optional.of(
                "the guest runs with %s 0x%x, its own is 0x%x".formatted(name, held, wanted));
    }
}

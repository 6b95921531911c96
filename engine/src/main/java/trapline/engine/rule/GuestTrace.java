package trapline.engine.rule;

import java.util.List;
import java.util.Optional;
import trapline.engine.cpu.ProcessorTrace;
import trapline.engine.cpu.vmx.Vmcs;
import trapline.engine.event.Moment;
import trapline.engine.rule.Rules.Scene;
import trapline.engine.state.VcpuState;
import trapline.engine.table.Msrs;

/// `guest-pt`. What counts is the RTIT_CTL that the processor is about to load.
final class GuestTrace implements Rule {

    private final Scene scene;
    private final int[] set;

    GuestTrace(Scene scene) {
        this.scene = scene;
        set = scene.setup().model().trace().set();
    }

    @Override
    public List<Moment> moments() {
        return scene.setup().traces() ? List.of(Moment.ENTRY) : List.of();
    }

    @Override
    public Optional<String> judge(Moment moment, VcpuState vcpu) {
        if (!willTrace(vcpu)) {
            return Optional.empty();
        }
        for (int msr : set) {
            long held = scene.machine().pcpuOf(vcpu).msr(msr);
            if (vcpu.hasMsr(msr) && held != vcpu.msr(msr)) {
                return Optional.of(
                        "the guest traces with %s 0x%x, it wrote 0x%x"
                                .formatted(Msrs.name(msr), held, vcpu.msr(msr)));
            }
        }
        return Optional.empty();
    }

    private static boolean willTrace(VcpuState vcpu) {
        return vcpu.current().has(Vmcs.ENTRY_CONTROLS, Vmcs.ENTRY_LOAD_RTIT_CTL)
                && (vcpu.current().get(Vmcs.GUEST_RTIT_CTL) & ProcessorTrace.TRACE_EN) != 0;
    }
}

package trapline.engine.rule;

import java.util.List;
import java.util.Optional;
import trapline.engine.event.Moment;
import trapline.engine.event.Reg;
import trapline.engine.rule.Rules.Scene;
import trapline.engine.state.PcpuState;
import trapline.engine.state.VcpuState;

/// `host-gs-base`, `host-tr`, `host-syscall-state`: of what VMLOAD moves, some is the host's again wherever the host uses it.
///
/// On Intel the processor itself switches it, or the vCPU's values are user-return MSRs.
final class HostRegisters implements Rule {

    private static final List<Reg> GS_BASE = List.of(Reg.GS_BASE);
    private static final List<Reg> TASK =
            List.of(Reg.TR_BASE, Reg.TR_LIMIT, Reg.TR_SELECTOR, Reg.TR_ATTRIBUTES);

    private final Scene scene;
    private final List<Reg> registers;
    private final boolean whileHandling;

    private HostRegisters(Scene scene, List<Reg> registers, boolean whileHandling) {
        this.scene = scene;
        this.registers = registers;
        this.whileHandling = whileHandling;
    }

    static HostRegisters gsBase(Scene scene) {
        return new HostRegisters(scene, GS_BASE, true);
    }

    static HostRegisters task(Scene scene) {
        return new HostRegisters(scene, TASK, true);
    }

    /// All the rest: the kernel has no use for it before it returns to user mode or runs another task.
    static HostRegisters user(Scene scene) {
        List<Reg> rest =
                scene.machine().pcpu(0).vmloadRegisters().stream()
                        .filter(register -> !GS_BASE.contains(register) && !TASK.contains(register))
                        .toList();
        return new HostRegisters(scene, rest, false);
    }

    @Override
    public List<Moment> moments() {
        if (scene.machine().pcpu(0).vmloadRegisters().isEmpty()) {
            return List.of();
        }
        return whileHandling ? List.of(Moment.HANDLER, Moment.PUT) : List.of(Moment.PUT);
    }

    @Override
    public Optional<String> judge(Moment moment, VcpuState vcpu) {
        PcpuState pcpu = scene.machine().pcpuOf(vcpu);
        for (int i = 0; i < registers.size(); i++) {
            Reg register = registers.get(i);
            if (pcpu.register(register) != pcpu.hostRegister(register)) {
                return Optional.of(
                        "%s of pCPU %d is not the host's own 0x%x"
                                .formatted(register, pcpu.id(), pcpu.hostRegister(register)));
            }
        }
        return Optional.empty();
    }
}

package trapline.engine.rule;

import java.util.List;
import java.util.Optional;
import trapline.engine.cpu.ProcessorTrace;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.Moment;
import trapline.engine.rule.Rules.Scene;
import trapline.engine.state.VcpuState;
import trapline.engine.table.Msrs;

/// `host-pt`. RTIT_CTL changes with VM entry and exit, too; the other MSRs only by WRMSR.
final class HostTrace implements Rule {

    private final Scene scene;
    private final boolean judged;
    private final int[] set;
    private final boolean[] written;

    HostTrace(Scene scene) {
        this.scene = scene;
        ProcessorTrace trace = scene.setup().platform().trace();
        judged = !trace.equals(ProcessorTrace.NONE);
        set = trace.set();
        written = new boolean[scene.machine().pcpus()];
    }

    @Override
    public List<Moment> moments() {
        return judged ? List.of(Moment.HANDLER, Moment.PUT) : List.of();
    }

    @Override
    public void note(Envelope envelope) {
        int msr =
                switch (envelope.event()) {
                    case HostMsrWritten e -> e.msr();
                    case MsrWritten e -> e.msr();
                    default -> 0;
                };
        if (Msrs.trace(msr)) {
            written[envelope.stamp().pcpu()] = true;
        }
    }

    @Override
    public Optional<String> judge(Moment moment, VcpuState vcpu) {
        Optional<String> wrong = compare(Msrs.RTIT_CTL, vcpu);
        for (int i = 0; i < set.length && written[vcpu.pcpu()] && wrong.isEmpty(); i++) {
            wrong = compare(set[i], vcpu);
        }
        return wrong;
    }

    private Optional<String> compare(int msr, VcpuState vcpu) {
        long own = scene.machine().config().hostMsrs(vcpu.pcpu()).getOrDefault(msr, 0L);
        long held = scene.machine().pcpuOf(vcpu).msr(msr);
        return held == own
                ? Optional.empty()
                : Optional.of(
                        "the host runs with %s 0x%x, its own is 0x%x"
                                .formatted(Msrs.name(msr), held, own));
    }
}

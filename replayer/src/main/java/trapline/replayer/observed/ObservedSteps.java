package trapline.replayer.observed;

import java.util.List;
import java.util.function.Consumer;
import trapline.engine.cpu.GuestOp;
import trapline.engine.event.Envelope;
import trapline.engine.event.InputEvent.InterruptArrived;
import trapline.engine.event.InputEvent.Target;
import trapline.engine.event.ObservedEvent.EventsLost;
import trapline.engine.event.ObservedEvent.MsrLogged;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Stamp.Scope;
import trapline.engine.event.Tracepoint;
import trapline.engine.guest.Step;
import trapline.engine.table.ExitReasons;
import trapline.replayer.observed.ExitOps.Found;
import trapline.replayer.observed.ObservedStep.At;
import trapline.replayer.observed.TracedOps.Traced;

/// Makes steps of what a trace shows, as it comes: each VM exit is one op or one interrupt.
///
/// A step is complete at the next entry. How many ordinary instructions lie between two exits no trace tells, and
/// none are made up. What passes through leaves no trace. Everything that becomes no step is counted.
public final class ObservedSteps {

    /// The vector of the guest's own timer, which wakes it where the trace does not say what did.
    private static final int TIMER_VECTOR = 0xec;

    private static final int EINTR = 4;

    private final OneVcpu[] vcpus;
    private final ObservedCounts counts = new ObservedCounts();
    private boolean svm;

    public ObservedSteps(int vcpus) {
        this.vcpus = new OneVcpu[vcpus];
        for (int i = 0; i < vcpus; i++) {
            this.vcpus[i] = new OneVcpu(i);
        }
    }

    /// What was counted so far.
    public ObservedCounts counts() {
        return counts;
    }

    /// Takes the trace's next event, and gives the steps that are complete with it.
    public void accept(Envelope envelope, Consumer<ObservedStep> out) {
        if (envelope.event() instanceof EventsLost) {
            counts.gap();
            lost(envelope.stamp().pcpu(), out);
        }
        if (envelope.stamp().scope() == Scope.VM) {
            return;
        }
        if (envelope.stamp().vcpu() >= vcpus.length) {
            counts.leaveOut("events of a vCPU that appeared while the trace was read");
            return;
        }
        OneVcpu vcpu = vcpus[envelope.stamp().vcpu()];
        switch (envelope.event()) {
            case MsrLogged access -> {
                counts.addLogged();
                At at = new At(envelope.stamp().order(), access.time(), "", false);
                vcpu.execute(new Traced(TracedOps.of(access)), at, out);
            }
            case TracepointHit hit -> vcpu.accept(envelope, hit, out);
            default -> {}
        }
    }

    /// What was being handled on that CPU may have gone on to another exit since.
    private void lost(int pcpu, Consumer<ObservedStep> out) {
        for (OneVcpu vcpu : vcpus) {
            if (pcpu < 0 || vcpu.handling == null || vcpu.handling.pcpu() == pcpu) {
                vcpu.close(out);
                vcpu.nested = false;
            }
        }
    }

    /// The trace ends: what was being handled is told as far as it goes.
    public void finish(Consumer<ObservedStep> out) {
        for (OneVcpu vcpu : vcpus) {
            vcpu.close(out);
        }
    }

    /// What one vCPU is at.
    private final class OneVcpu {

        private final int id;
        private Handling handling;
        private boolean nested;
        private boolean halted;
        private long ops;

        OneVcpu(int id) {
            this.id = id;
        }

        void accept(Envelope envelope, TracepointHit hit, Consumer<ObservedStep> out) {
            switch (hit.point()) {
                case KVM_EXIT -> {
                    close(out);
                    handling = new Handling(envelope, hit, nested, svm);
                    svm = handling.svm();
                    counts.exit(ExitOps.name(handling));
                }
                case KVM_ENTRY -> close(out);
                case KVM_NESTED_VMRUN, KVM_NESTED_VMENTER -> nested = true;
                case KVM_NESTED_VMENTER_FAILED, KVM_NESTED_VMEXIT_INJECT, KVM_NESTED_INTR_VMEXIT ->
                        nested = false;
                case KVM_USERSPACE_EXIT -> toUserspace(hit);
                case KVM_INJ_VIRQ -> injected(envelope, hit, out);
                case KVM_NESTED_VMEXIT -> {
                    if (handling != null) {
                        handling.add(hit);
                    }
                }
                default -> detail(envelope, hit, out);
            }
        }

        /// For which MSR userspace is asked, no tracepoint says.
        private void toUserspace(TracepointHit hit) {
            String reason = userspaceReason(hit);
            counts.userspaceExit(reason);
            if (handling == null && reason.startsWith("KVM_EXIT_X86_")) {
                counts.leaveOut(reason);
            }
        }

        private static String userspaceReason(TracepointHit hit) {
            long errno = Math.abs(Handling.value(hit, "errno", 0));
            if (errno != 0) {
                return errno == EINTR ? "restart" : "error " + errno;
            }
            return ExitReasons.userspace((int) Handling.value(hit, "reason", 0));
        }

        private void detail(Envelope envelope, TracepointHit hit, Consumer<ObservedStep> out) {
            if (!TracedOps.isOp(hit.point())) {
                return;
            }
            if (hit.point() == Tracepoint.KVM_MSR) {
                counts.access();
            }
            if (handling != null) {
                if (handling.add(hit)) {
                    return;
                }
                if (TracedOps.comesInParts(hit.point())) {
                    counts.leaveOut("further " + hit.point().text() + " of one exit");
                    return;
                }
                close(out);
            }
            alone(hit, 0, envelope.stamp().order(), out);
        }

        /// KVM did it for the guest without an exit of its own.
        private void alone(TracepointHit hit, long rip, long order, Consumer<ObservedStep> out) {
            if (TracedOps.unanswered(hit)) {
                return;
            }
            TracedOps.of(hit, rip, svm)
                    .ifPresentOrElse(
                            traced ->
                                    execute(
                                            traced,
                                            new At(order, hit.time(), "", traced.faulted()),
                                            out),
                            () -> counts.leaveOut(hit.point().text() + " read"));
        }

        /// An interrupt for the guest is told with the exit that made room for it, or that it ends.
        private void injected(Envelope envelope, TracepointHit hit, Consumer<ObservedStep> out) {
            if (Handling.value(hit, "soft", 0) != 0 || Handling.value(hit, "reinjected", 0) != 0) {
                counts.leaveOut("kvm_inj_virq of an earlier one");
            } else if (handling == null) {
                At at = new At(envelope.stamp().order(), hit.time(), "", false);
                interrupt(Target.GUEST, vector(hit), at, out);
            } else if (!handling.add(hit)) {
                counts.leaveOut("further kvm_inj_virq of one exit");
            }
        }

        private static int vector(TracepointHit hit) {
            return (int) Handling.value(hit, "vector", 0) & 0xff;
        }

        /// The vCPU enters the guest again, or the trace goes on without saying so.
        void close(Consumer<ObservedStep> out) {
            Handling exit = handling;
            handling = null;
            if (exit == null) {
                return;
            }
            String name = ExitOps.name(exit);
            if (exit.nested()) {
                counts.nested(name);
                return;
            }
            TracepointHit virq = exit.take(Tracepoint.KVM_INJ_VIRQ);
            At at = new At(exit.order(), exit.time(), name, false);
            switch (ExitOps.of(exit)) {
                case Found.Op(Traced traced) -> {
                    execute(traced, new At(at.order(), at.time(), name, traced.faulted()), out);
                    injectedAfter(virq, at, out);
                }
                case Found.Interrupt(int vector) -> {
                    begin(exit, at, out);
                    interrupt(
                            virq == null ? Target.HOST : Target.GUEST,
                            virq == null ? vector : vector(virq),
                            at,
                            out);
                }
                case Found.Window _ -> {
                    begin(exit, at, out);
                    window(virq, at, out);
                }
                case Found.NotModelled _ -> {
                    counts.notModelled(name);
                    injectedAfter(virq, at, out);
                }
                case Found.NotTold _ -> {
                    counts.notTold(name);
                    injectedAfter(virq, at, out);
                }
            }
            for (TracepointHit left : exit.left()) {
                alone(left, exit.rip(), exit.order(), out);
            }
        }

        /// A guest that is interrupted was running, for however long, where the model has yet to enter it.
        private void begin(Handling exit, At at, Consumer<ObservedStep> out) {
            if (ops == 0) {
                At before = new At(at.order(), at.time(), "", false);
                execute(new Traced(new GuestOp.Run(exit.rip(), 0)), before, out);
            }
        }

        private void window(TracepointHit virq, At at, Consumer<ObservedStep> out) {
            if (virq == null) {
                counts.notModelled(at.exit());
            } else {
                interrupt(Target.GUEST, vector(virq), at, out);
            }
        }

        /// What is injected at the end of a HLT woke the guest; elsewhere the model has an exit of its own for it.
        private void injectedAfter(TracepointHit virq, At at, Consumer<ObservedStep> out) {
            if (virq == null) {
                return;
            }
            if (halted) {
                interrupt(
                        Target.GUEST, vector(virq), new At(at.order(), at.time(), "", false), out);
            } else {
                counts.leaveOut("kvm_inj_virq at " + at.exit());
            }
        }

        private void execute(Traced traced, At at, Consumer<ObservedStep> out) {
            wake(at, out);
            ops++;
            halted = traced.op() instanceof GuestOp.Hlt;
            out.accept(new ObservedStep(id, ops, new Step.Do(traced.op()), traced.answers(), at));
        }

        private void interrupt(Target target, int vector, At at, Consumer<ObservedStep> out) {
            if (!at.exit().isEmpty()) {
                wake(at, out);
            }
            halted = false;
            out.accept(
                    new ObservedStep(
                            id,
                            ops,
                            new Step.Meanwhile(new InterruptArrived(target, vector)),
                            List.of(),
                            at));
        }

        /// A halted guest that goes on was woken.
        private void wake(At at, Consumer<ObservedStep> out) {
            if (halted) {
                interrupt(
                        Target.GUEST, TIMER_VECTOR, new At(at.order(), at.time(), "", false), out);
            }
        }
    }
}

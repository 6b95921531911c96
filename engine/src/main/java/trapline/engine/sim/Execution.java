package trapline.engine.sim;

import java.util.List;
import trapline.engine.cpu.Exit;
import trapline.engine.cpu.GuestOp;
import trapline.engine.cpu.Processor;
import trapline.engine.event.InputEvent;
import trapline.engine.event.InputEvent.DeviceRead;
import trapline.engine.event.InputEvent.HostPreempted;
import trapline.engine.event.InputEvent.InterruptArrived;
import trapline.engine.event.InputEvent.MsrExitsRequested;
import trapline.engine.event.InputEvent.MsrFilterRequested;
import trapline.engine.event.InputEvent.SpecCtrlForceRequested;
import trapline.engine.event.InputEvent.Target;
import trapline.engine.event.InputEvent.TimestampRead;
import trapline.engine.event.InputEvent.UserspaceMsrRequested;
import trapline.engine.event.InputEvent.UserspaceReplied;
import trapline.engine.event.Kvm;
import trapline.engine.event.Moment;
import trapline.engine.exit.Hypervisor;
import trapline.engine.exit.Next;
import trapline.engine.exit.Setup;
import trapline.engine.exit.Vcpu;
import trapline.engine.guest.GuestRun;
import trapline.engine.guest.Step;
import trapline.engine.state.MachineState;
import trapline.engine.state.VcpuState.Mode;

/// One machine that runs: the whole product is the loop in [#op].
///
/// Purely a function of its setup and of the ops and inputs it is given: no clock, no thread, no I/O.
public final class Execution {

    private static final int RESCHEDULE_VECTOR = 0xfd;
    private static final int CALL_FUNCTION_VECTOR = 0xfc;
    private static final int TIMER_VECTOR = 0xec;
    private static final int EXIT_INTR = 10;
    private static final int EXIT_FAIL_ENTRY = 9;

    /// When a halted guest wakes by itself: a timer of its own, this many instructions' time away.
    private static final long TIMER_TICKS = 1_000_000;

    private final MachineState machine;
    private final Processor processor;
    private final Hypervisor hypervisor;
    private final Vcpu[] vcpus;
    private final Timeline[] timelines;
    private final List<InputEvent> wishes;
    private final boolean[] stopped;

    Execution(
            MachineState machine,
            Processor processor,
            Hypervisor hypervisor,
            Vcpu[] vcpus,
            Timeline[] timelines,
            List<InputEvent> wishes) {
        this.machine = machine;
        this.processor = processor;
        this.hypervisor = hypervisor;
        this.vcpus = vcpus;
        this.timelines = timelines;
        this.wishes = wishes;
        stopped = new boolean[vcpus.length];
    }

    public MachineState machine() {
        return machine;
    }

    /// What stays the same while it runs.
    public Setup setup() {
        return vcpus[0].setup();
    }

    /// Sets the VM up, then makes every vCPU, in order. None is entered before its first op.
    public void start() {
        hypervisor.setUp(vcpus[0]);
        long[] asked = new long[wishes.size()];
        for (int i = 0; i < asked.length; i++) {
            asked[i] = timelines[0].emitShared(wishes.get(i));
            timelines[0].causedBy(asked[i]);
            hypervisor.setUp(vcpus[0], wishes.get(i));
            timelines[0].causedBy(0);
        }
        for (Vcpu v : vcpus) {
            hypervisor.create(v);
            for (int i = 0; i < asked.length; i++) {
                v.out().causedBy(asked[i]);
                hypervisor.setUpVcpu(v, wishes.get(i));
                v.out().causedBy(0);
            }
        }
    }

    /// Runs a guest to its end.
    public void run(GuestRun guest) {
        while (guest.advance(machine)) {
            step(guest);
        }
    }

    /// Runs the guest's current step.
    public void step(GuestRun guest) {
        int vcpu = guest.vcpu();
        switch (guest.step()) {
            case Step.Do(GuestOp op) -> {
                wakeByTimer(vcpu);
                op(vcpu, op);
            }
            case Step.Meanwhile(InputEvent input, long tick) -> input(vcpu, input, tick);
        }
    }

    /// Runs a step that was recorded, when its time has come.
    public void repeat(int vcpu, Step step) {
        switch (step) {
            case Step.Do(GuestOp op) -> op(vcpu, op);
            case Step.Meanwhile(InputEvent input, long tick) -> input(vcpu, input, tick);
        }
    }

    /// A halted vCPU whose guest goes on was woken by its own timer.
    private void wakeByTimer(int vcpu) {
        if (vcpus[vcpu].state().mode() == Mode.HALTED) {
            InterruptArrived timer = new InterruptArrived(Target.GUEST, TIMER_VECTOR);
            input(vcpu, timer, timelines[vcpu].tick() + TIMER_TICKS);
        }
    }

    /// One op of the guest, from the guest into the guest: run to exit, decide, apply, enter.
    public void op(int vcpu, GuestOp op) {
        if (stopped[vcpu]) {
            return;
        }
        Vcpu v = vcpus[vcpu];
        Timeline timeline = timelines[vcpu];
        makeRoom(v, v.state().pcpu());
        timeline.beginOp(op.ticks());
        enterGuest(v);
        Exit exit = stopped[vcpu] ? null : processor.execute(fetched(op), v.state(), timeline);
        while (exit != null) {
            timeline.causedBy(machine.order());
            Next next = hypervisor.decide(exit, op, v);
            if (next == Next.WAIT) {
                return;
            }
            enterGuest(v);
            timeline.causedBy(0);
            exit =
                    next == Next.RETRY && !stopped[vcpu]
                            ? processor.execute(fetched(op), v.state(), timeline)
                            : null;
        }
    }

    /// Something from outside reaches a vCPU.
    ///
    /// @param tick when, in the vCPU's own time, if that is later than now
    public void input(int vcpu, InputEvent input, long tick) {
        if (stopped[vcpu]) {
            return;
        }
        Vcpu v = vcpus[vcpu];
        Timeline timeline = timelines[vcpu];
        boolean halted = v.state().mode() == Mode.HALTED;
        int pcpu = pcpuWanted(v, input, halted);
        if (pcpu >= 0) {
            makeRoom(v, pcpu);
        }
        timeline.advanceTo(tick);
        timeline.causedBy(0);
        timeline.causedBy(emitted(input, timeline));
        switch (input) {
            case InterruptArrived(Target target, int vector) ->
                    interrupt(
                            v, target == Target.HOST ? vector : RESCHEDULE_VECTOR, target, halted);
            case HostPreempted(int target) -> preempt(v, target, halted);
            case UserspaceMsrRequested _ -> vcpuIoctl(v, input);
            case MsrExitsRequested _ -> hypervisor.request(v, input);
            case MsrFilterRequested _ -> {
                hypervisor.request(v, input);
                kick(timeline.cause());
            }
            case SpecCtrlForceRequested _ -> {
                if (forcesPerVcpu()) {
                    vcpuIoctl(v, input);
                } else {
                    hypervisor.request(v, input);
                }
            }
            case TimestampRead _, DeviceRead _, UserspaceReplied _ -> {}
        }
        timeline.causedBy(0);
    }

    /// What is asked of the whole machine is everybody's event.
    private static long emitted(InputEvent input, Timeline timeline) {
        return switch (input) {
            case MsrFilterRequested _, MsrExitsRequested _ -> timeline.emitShared(input);
            default -> timeline.emit(input);
        };
    }

    /// The pCPU on which an input has the vCPU loaded, or -1 if it does not.
    private int pcpuWanted(Vcpu v, InputEvent input, boolean halted) {
        return switch (input) {
            case InterruptArrived(Target target, _) ->
                    halted && target == Target.GUEST ? v.state().pcpu() : -1;
            case HostPreempted(int target) -> v.state().is(Kvm.LOADED) ? target : -1;
            case UserspaceMsrRequested _ -> v.state().pcpu();
            case SpecCtrlForceRequested _ -> forcesPerVcpu() ? v.state().pcpu() : -1;
            case TimestampRead _,
                    DeviceRead _,
                    MsrFilterRequested _,
                    MsrExitsRequested _,
                    UserspaceReplied _ ->
                    -1;
        };
    }

    private void interrupt(Vcpu v, int vector, Target target, boolean halted) {
        if (v.state().mode() == Mode.GUEST) {
            leave(v, vector);
            enterGuest(v);
        } else if (halted && target == Target.GUEST) {
            enterGuest(v);
        }
    }

    private void preempt(Vcpu v, int pcpu, boolean halted) {
        if (halted || !v.state().is(Kvm.LOADED)) {
            if (pcpu >= 0) {
                v.set(Kvm.PCPU, pcpu);
            }
            return;
        }
        if (v.state().mode() == Mode.GUEST) {
            leave(v, RESCHEDULE_VECTOR);
        }
        hypervisor.preempt(v);
        if (pcpu >= 0) {
            hypervisor.load(v, pcpu);
            enterGuest(v);
        }
    }

    /// Whether bits of SPEC_CTRL are forced by a vCPU's ioctl, not by one of the VM, which leaves the vCPU alone.
    private boolean forcesPerVcpu() {
        return setup().policy().mechanisms().forceScope().perVcpu();
    }

    /// Userspace has the vCPU, and the system call loads and puts it: KVM_SET_MSRS.
    private void vcpuIoctl(Vcpu v, InputEvent request) {
        boolean running = v.state().mode() == Mode.GUEST;
        if (running) {
            leave(v, RESCHEDULE_VECTOR);
            hypervisor.exitToUserspace(v, EXIT_INTR);
        }
        hypervisor.load(v, v.state().pcpu());
        hypervisor.request(v, request);
        hypervisor.put(v);
        if (running) {
            enterGuest(v);
        }
    }

    /// Every vCPU that has a request (`kvm_make_all_cpus_request`) and is in the guest is taken out of it.
    private void kick(long cause) {
        for (Vcpu v : vcpus) {
            if (v.state().is(Kvm.RECALC_INTERCEPTS) && v.state().mode() == Mode.GUEST) {
                v.out().causedBy(cause);
                leave(v, CALL_FUNCTION_VECTOR);
                enterGuest(v);
                v.out().causedBy(0);
            }
        }
    }

    /// An interrupt for the host takes the vCPU out of the guest.
    private void leave(Vcpu v, int vector) {
        Exit exit = processor.interrupt(vector, v.state(), v.out());
        v.out().causedBy(machine.order());
        hypervisor.decide(exit, null, v);
    }

    private void enterGuest(Vcpu v) {
        if (v.state().mode() != Mode.ROOT) {
            return;
        }
        if (!v.state().is(Kvm.LOADED)) {
            hypervisor.load(v, v.state().pcpu());
        }
        hypervisor.beforeEntry(v);
        v.out().at(Moment.ENTRY);
        if (!processor.enter(v.state(), v.out())) {
            hypervisor.exitToUserspace(v, EXIT_FAIL_ENTRY);
            stopped[v.id()] = true;
        }
    }

    /// A pCPU runs one vCPU: who else is loaded there has to go, until its own turn.
    private void makeRoom(Vcpu v, int pcpu) {
        if (v.state().is(Kvm.LOADED) && v.state().pcpu() == pcpu) {
            return;
        }
        for (Vcpu other : vcpus) {
            if (other.id() != v.id()
                    && other.state().is(Kvm.LOADED)
                    && other.state().pcpu() == pcpu) {
                input(other.id(), new HostPreempted(HostPreempted.LATER), 0);
            }
        }
    }

    /// The op as it stands in memory now: a hypercall instruction may have been rewritten.
    private GuestOp fetched(GuestOp op) {
        return op instanceof GuestOp.Hypercall call
                        && machine.vm().patchedHypercalls().contains(call.rip())
                ? new GuestOp.Hypercall(call.rip(), !call.vmmcall(), call.number())
                : op;
    }
}

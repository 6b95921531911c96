package trapline.engine.rule;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent.ExtendedStateMoved;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.GuestEvent.NestedBitmapStored;
import trapline.engine.event.GuestEvent.NestedEntered;
import trapline.engine.event.GuestEvent.NestedFieldStored;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.HypervisorEvent.MsrFilterStored;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.HypervisorEvent.NestedBitmapMerged;
import trapline.engine.event.HypervisorEvent.UserspaceMsrStored;
import trapline.engine.event.Moment;
import trapline.engine.event.Stamp;
import trapline.engine.exit.Setup;
import trapline.engine.state.MachineState;
import trapline.engine.state.VcpuState;
import trapline.engine.table.Msrs;

/// All safety rules over one execution, and what it broke.
public final class Rules {

    /// More ways of breaking rules than this are counted, but not kept one by one.
    private static final int MOST = 1000;

    /// The rules that there are.
    public enum Name {
        HOST_SPEC_CTRL(
                "The host's code runs with the host's own SPEC_CTRL.",
                "FACTS 1.4 and 1.8; vmx_spec_ctrl_restore_host",
                HostSpecCtrl::new),
        GUEST_SPEC_CTRL(
                "A guest runs with the SPEC_CTRL that it wrote last, whether that write exited or not.",
                "FACTS 1.4 and 1.8",
                GuestSpecCtrl::new),
        HIDDEN_FEATURE(
                "Nothing that the vCPU model hides is passed through or enabled.",
                "FACTS 1.2 and 1.5; svm_recalc_msr_intercepts of 6.18",
                HiddenFeature::new),
        NESTED_MSR_BITMAP(
                "L2 gets no MSR that L0 or L1 intercepts.",
                "FACTS 1.9 and 1.10",
                NestedMsrBitmap::new),
        IBPB_VCPU_SWITCH(
                "Between two vCPUs on one pCPU there is an IBPB.",
                "FACTS 1.9, vcpu_load",
                BarrierBetweenVcpus::new),
        IBPB_NESTED_EXIT(
                "Between L2 and L1 there is an IBPB where the guest may rely on IBRS to part them.",
                "FACTS 1.9, kvm_nested_vmexit_handle_ibrs of 6.18",
                BarrierAtNestedExit::new),
        HOST_PT(
                "The host's code runs with the host's own PT state.",
                "FACTS 4.4; Christopherson, 1 November 2023, thread 3",
                HostTrace::new),
        GUEST_PT(
                "A guest that traces does so with the PT state that it set.",
                "FACTS 4.4; pt_guest_enter",
                GuestTrace::new),
        FORCED_BITS(
                "What userspace or a mitigation forces in SPEC_CTRL, the guest runs with, whatever it writes.",
                "FACTS 2.3 and 2.4",
                ForcedBits::new),
        RAP_ISOLATION(
                "No return address crosses L1 and L2, where the guest is told that the processor parts them.",
                "FACTS 3.2 and 3.3, nested_vmcb02_prepare_control and nested_svm_vmexit of 7.1",
                ReturnIsolation::new),
        XSAVES_BYPASS(
                "XSAVES and XRSTORS reach no MSR whose RDMSR or WRMSR the hypervisor intercepts.",
                "FACTS 4.1; Levitsky and Christopherson, 1 November 2023, thread 3",
                XsavesBypass::new),
        GUEST_XSTATE(
                "A guest runs with the XCR0, IA32_XSS and CET state that it set.",
                "FACTS 4.3 and 4.5; kvm_load_guest_xsave_state, kvm_load_guest_fpu",
                GuestExtendedState::new),
        HOST_XSTATE(
                "The host's code runs with the host's own XCR0 and IA32_XSS and, once the vCPU is put, with its own"
                        + " supervisor state.",
                "FACTS 4.3 and 4.5; kvm_load_host_xsave_state, kvm_put_guest_fpu",
                HostExtendedState::new),
        MSR_FILTER(
                "No guest gets an MSR past a filter of userspace's that denies it.",
                "FACTS 1.3 and 2.6",
                DeniedMsr::new),
        HOST_GS_BASE(
                "The host's code runs with the host's own GS base.",
                "FACTS 5.1 and 5.5; Lutomirski, thread 4: before STGI",
                HostRegisters::gsBase),
        HOST_TR(
                "The host takes interrupts with its own task register.",
                "FACTS 5.5; reasoning, not a cited statement: stacks of interrupts are found through TR",
                HostRegisters::task),
        HOST_SYSCALL_STATE(
                "Before user mode or another task runs, SYSCALL and SYSENTER MSRs, KERNEL_GS_BASE, FS, GS and LDTR are the"
                        + " host's again.",
                "FACTS 5.5; reasoning, not a cited statement: the kernel itself uses none of them",
                HostRegisters::user);

        private final String sentence;
        private final String source;
        private final Function<Scene, Rule> maker;

        Name(String sentence, String source, Function<Scene, Rule> maker) {
            this.sentence = sentence;
            this.source = source;
            this.maker = maker;
        }

        public String text() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        public String sentence() {
            return sentence;
        }

        public String source() {
            return source;
        }
    }

    /// What a rule looks at besides the vCPU.
    record Scene(MachineState machine, Setup setup) {}

    /// Is told each time that a rule is found broken.
    public interface Listener {

        /// Of those who want to know only in the end.
        Listener NONE = (_, _, _) -> {};

        /// @param stamp of the event after which that was found
        void broken(Name rule, Stamp stamp, String message);
    }

    private record Judge(Name name, Rule rule) {}

    private record Broken(Name rule, int vcpu, String message) {}

    private final MachineState machine;
    private final Listener listener;

    /// Those that the machine can break.
    private final Rule[] rules;

    private final Judge[][] judges = new Judge[Moment.values().length][];
    private final Map<Broken, Violation> violations = new LinkedHashMap<>();
    private final Envelope[] last;
    private final Envelope[] lastExit;
    private long count;

    public Rules(MachineState machine, Setup setup) {
        this(machine, setup, Listener.NONE);
    }

    public Rules(MachineState machine, Setup setup, Listener listener) {
        this.machine = machine;
        this.listener = listener;
        Scene scene = new Scene(machine, setup);
        List<Judge> all = new ArrayList<>();
        for (Name name : Name.values()) {
            all.add(new Judge(name, name.maker.apply(scene)));
        }
        rules =
                all.stream()
                        .map(Judge::rule)
                        .filter(rule -> !rule.moments().isEmpty())
                        .toArray(Rule[]::new);
        for (Moment moment : Moment.values()) {
            judges[moment.ordinal()] =
                    all.stream()
                            .filter(judge -> judge.rule().moments().contains(moment))
                            .toArray(Judge[]::new);
        }
        last = new Envelope[machine.vcpus()];
        lastExit = new Envelope[machine.vcpus()];
    }

    public void accept(Envelope envelope) {
        int vcpu = envelope.stamp().vcpu();
        last[vcpu] = envelope;
        if (envelope.event() instanceof VmExited) {
            lastExit[vcpu] = envelope;
        } else if (matters(envelope.event())) {
            for (Rule rule : rules) {
                rule.note(envelope);
            }
            if (isUnseenWrite(envelope)) {
                at(Moment.GUEST_WROTE, vcpu);
            } else if (envelope.event() instanceof ExtendedStateMoved
                    && machine.vcpu(vcpu).mode() == VcpuState.Mode.GUEST) {
                at(Moment.GUEST_MOVED_STATE, vcpu);
            }
        }
    }

    private boolean isUnseenWrite(Envelope envelope) {
        return envelope.event() instanceof MsrWritten e
                && e.msr() == Msrs.SPEC_CTRL
                && machine.vcpu(envelope.stamp().vcpu()).mode() == VcpuState.Mode.GUEST;
    }

    private static boolean matters(Event event) {
        return switch (event) {
            case MsrWritten _,
                    ExtendedStateMoved _,
                    UserspaceMsrStored _,
                    HostMsrWritten _,
                    MsrInterceptChanged _,
                    MsrFilterStored _,
                    NestedBitmapMerged _,
                    NestedBitmapStored _,
                    NestedFieldStored _,
                    NestedEntered _,
                    VmEntered _ ->
                    true;
            default -> false;
        };
    }

    /// A point of a vCPU's run has come.
    public void at(Moment moment, int vcpu) {
        VcpuState state = machine.vcpu(vcpu);
        for (Judge judge : judges[moment.ordinal()]) {
            Optional<String> wrong = judge.rule().judge(moment, state);
            if (wrong.isPresent()) {
                broken(new Broken(judge.name(), vcpu, wrong.get()));
            }
        }
    }

    private void broken(Broken broken) {
        count++;
        listener.broken(broken.rule(), last[broken.vcpu()].stamp(), broken.message());
        Violation known = violations.get(broken);
        if (known != null) {
            violations.put(
                    broken,
                    new Violation(
                            known.rule(),
                            known.first(),
                            known.causes(),
                            known.message(),
                            known.count() + 1));
        } else if (violations.size() < MOST) {
            Envelope event = last[broken.vcpu()];
            violations.put(
                    broken,
                    new Violation(broken.rule(), event, causes(event), broken.message(), 1));
        }
    }

    private List<Envelope> causes(Envelope event) {
        List<Envelope> causes = new ArrayList<>();
        Envelope exit = lastExit[event.stamp().vcpu()];
        if (exit != null && exit.stamp().order() == event.stamp().cause()) {
            causes.add(exit);
        }
        return causes;
    }

    /// How often any rule was found broken.
    public long count() {
        return count;
    }

    /// One for each rule, vCPU and way of breaking it, in the order in which they came first.
    public List<Violation> violations() {
        return List.copyOf(violations.values());
    }
}

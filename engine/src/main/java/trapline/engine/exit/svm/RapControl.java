package trapline.engine.exit.svm;

import trapline.engine.cpu.svm.Vmcb;
import trapline.engine.event.HardwareEvent.RapCause;
import trapline.engine.event.Kvm;
import trapline.engine.exit.Vcpu;
import trapline.engine.policy.Eraps;
import trapline.engine.policy.Eraps.Drop;
import trapline.engine.policy.Eraps.Flush;
import trapline.engine.policy.Policy;
import trapline.engine.state.Image;

/// KVM's part in ERAPS: the guest's size of the return-address predictor, and when VMRUN has to clear it.
final class RapControl {

    private static final int SLEPT = 1;
    private static final int PREEMPTED = 2;

    private final Eraps choice;
    private final boolean onL2Exit;
    private final boolean onL2ExitToL1;

    RapControl(Policy policy) {
        choice = policy.mechanisms().eraps();
        onL2Exit = choice.flush().contains(Flush.L2_EXIT);
        onL2ExitToL1 = choice.flush().contains(Flush.L2_EXIT_TO_L1);
    }

    private static boolean guestHas(Vcpu v) {
        return v.setup().tagsReturns() && v.setup().model().has("ERAPS");
    }

    /// `init_vmcb`.
    void create(Vcpu v) {
        boolean larger =
                switch (choice.larger()) {
                    case NEVER -> false;
                    case HOST_WITH_NPT -> v.setup().tagsReturns() && v.setup().npt();
                    case GUEST -> guestHas(v);
                };
        SvmCode.write(v, 1, Vmcb.ERAP_CONTROL, larger ? Vmcb.ALLOW_LARGER_RAP : 0);
    }

    /// `svm_vcpu_run`, before VMRUN: what was marked as dirty goes into the VMCB.
    void beforeRun(Vcpu v) {
        long dirty = v.state().kvm(Kvm.RAP_DIRTY);
        if (dirty != 0) {
            flag(v, v.state().currentStructure(), dirty);
        }
    }

    /// `svm_vcpu_run`, after VMRUN.
    void afterRun(Vcpu v) {
        if (choice.reset() && v.setup().tagsReturns()) {
            int vmcb = v.state().currentStructure();
            long control = v.state().image(vmcb).get(Vmcb.ERAP_CONTROL);
            SvmCode.write(v, vmcb, Vmcb.ERAP_CONTROL, control & ~Vmcb.CLEAR_RAP);
        }
    }

    /// `svm_handle_exit` of v3, before anyone asks whether L1 wants the exit.
    void exited(Vcpu v) {
        if (onL2Exit) {
            l2Exited(v);
        }
    }

    /// The same with the third optimization: only once L1 is to run.
    void reflected(Vcpu v) {
        if (onL2ExitToL1) {
            l2Exited(v);
        }
    }

    private static void l2Exited(Vcpu v) {
        boolean larger = v.state().image(1).has(Vmcb.ERAP_CONTROL, Vmcb.ALLOW_LARGER_RAP);
        if (v.state().level() == 2 && v.setup().tagsReturns() && larger) {
            flag(v, 1, number(RapCause.NESTED_EXIT));
        }
    }

    /// `nested_vmcb02_prepare_control`.
    void enterL2(Vcpu v) {
        if (choice.flush().contains(Flush.NESTED_ENTRY) && guestHas(v)) {
            long from12 = v.state().image(12).get(Vmcb.ERAP_CONTROL) & Vmcb.ALLOW_LARGER_RAP;
            v.set(Kvm.RAP_CAUSE_02, number(RapCause.NESTED_ENTRY));
            long size = choice.larger02() ? from12 : 0;
            SvmCode.write(v, 2, Vmcb.ERAP_CONTROL, size | Vmcb.CLEAR_RAP);
        }
    }

    /// `nested_svm_vmexit`.
    void exitL2(Vcpu v) {
        if (choice.flush().contains(Flush.NESTED_EXIT) && guestHas(v)) {
            flag(v, 1, number(RapCause.NESTED_EXIT));
        }
    }

    /// The hypervisor carried out what hardware would have taken as a reason to clear.
    void dirty(Vcpu v, Flush flush, RapCause cause) {
        if (choice.flush().contains(flush) && guestHas(v) && v.state().kvm(Kvm.RAP_DIRTY) == 0) {
            v.set(Kvm.RAP_DIRTY, number(cause));
        }
    }

    /// `pre_svm_run` gave the vCPU a new ASID.
    void newAsid(Vcpu v) {
        if (choice.drop().contains(Drop.NEW_ASID)) {
            drop(v);
        }
    }

    /// The scheduler takes the vCPU off, for another task or for none.
    void scheduledOut(Vcpu v, boolean preempted) {
        boolean entries = preempted && !v.pcpu().returns().isEmpty();
        boolean pending =
                choice.drop().contains(Drop.TASK_SWITCH)
                        && v.state().image(1).has(Vmcb.ERAP_CONTROL, Vmcb.CLEAR_RAP);
        if (v.setup().tagsReturns() && (entries || pending)) {
            v.set(Kvm.TASK_SWITCHED, preempted ? PREEMPTED : SLEPT);
        }
    }

    /// The scheduler brings it back.
    ///
    /// Where another vCPU of the machine ran before, its thread shares CR3 with this one's.
    ///
    /// @param followsItself whether no other vCPU was loaded on this pCPU since
    void scheduledIn(Vcpu v, boolean followsItself) {
        boolean otherProcess = v.state().kvm(Kvm.TASK_SWITCHED) == PREEMPTED && followsItself;
        if (otherProcess && v.setup().platform().predictor().taskSwitchClears()) {
            v.flushReturns(RapCause.TASK_SWITCH);
        }
        v.set(Kvm.TASK_SWITCHED, 0);
        boolean samePcpu = v.state().kvm(Kvm.HOME_PCPU) == v.state().pcpu() + 1;
        if (samePcpu && choice.drop().contains(Drop.TASK_SWITCH)) {
            drop(v);
        }
    }

    /// Takes back that vmcb01 clears the predictor at its next VMRUN.
    private static void drop(Vcpu v) {
        v.set(Kvm.RAP_CAUSE_01, 0);
        long control = v.state().image(1).get(Vmcb.ERAP_CONTROL);
        SvmCode.write(v, 1, Vmcb.ERAP_CONTROL, control & ~Vmcb.CLEAR_RAP);
    }

    /// Sets CLEAR_RAP, and keeps the first reason for it.
    private static void flag(Vcpu v, int vmcb, long cause) {
        Kvm reason = vmcb == 1 ? Kvm.RAP_CAUSE_01 : Kvm.RAP_CAUSE_02;
        if (!v.state().is(reason)) {
            v.set(reason, cause);
        }
        Image image = v.state().image(vmcb);
        SvmCode.write(v, vmcb, Vmcb.ERAP_CONTROL, image.get(Vmcb.ERAP_CONTROL) | Vmcb.CLEAR_RAP);
    }

    private static long number(RapCause cause) {
        return cause.ordinal() + 1L;
    }
}

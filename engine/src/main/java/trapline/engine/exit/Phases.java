package trapline.engine.exit;

import java.util.List;
import trapline.engine.event.HardwareEvent.RapCause;
import trapline.engine.event.HypervisorEvent.EventType;
import trapline.engine.event.HypervisorEvent.UserspaceExited;
import trapline.engine.event.HypervisorEvent.VcpuLoaded;
import trapline.engine.event.HypervisorEvent.VcpuPut;
import trapline.engine.event.Kvm;
import trapline.engine.event.Moment;
import trapline.engine.policy.Policy;
import trapline.engine.policy.Policy.Ibpb;
import trapline.engine.policy.Step;
import trapline.engine.state.Vendor;

/// The phases of one run, each an ordered list of steps that the policy gives.
final class Phases {

    private final VendorCode vendor;
    private final SpecCtrl specCtrl;
    private final UserReturn userReturn;
    private final PtMsrs pt;
    private final XsaveState xsave;
    private final MsrAccess msrs;
    private final VirtSpecCtrl virtSpecCtrl = new VirtSpecCtrl();
    private final Policy.Phases phases;

    Phases(
            VendorCode vendor,
            SpecCtrl specCtrl,
            UserReturn userReturn,
            PtMsrs pt,
            XsaveState xsave,
            MsrAccess msrs,
            Setup setup) {
        this.vendor = vendor;
        this.specCtrl = specCtrl;
        this.userReturn = userReturn;
        this.pt = pt;
        this.xsave = xsave;
        this.msrs = msrs;
        phases = phases(vendor.phases(), setup);
    }

    /// The policy's steps without those that have nothing to do here.
    private static Policy.Phases phases(Policy.Phases all, Setup setup) {
        return new Policy.Phases(
                steps(all.load(), setup),
                steps(all.prepare(), setup),
                steps(all.beforeEntry(), setup),
                steps(all.afterExit(), setup),
                steps(all.put(), setup),
                steps(all.returnToUser(), setup));
    }

    private static List<Step> steps(List<Step> all, Setup setup) {
        return all.stream().filter(step -> matters(step, setup)).toList();
    }

    private static boolean matters(Step step, Setup setup) {
        return switch (step) {
            case SPEC_CTRL_ENTER, SPEC_CTRL_LEAVE, SPEC_CTRL_READ, SPEC_CTRL_RESTORE ->
                    SpecCtrl.isSwitched(setup);
            case PT_ENTER, PT_LEAVE -> setup.traces();
            case XSS_LOAD, XSS_RESTORE -> setup.supervisor().switchesXss();
            case FPU_LOAD, FPU_PUT -> setup.supervisor().fpuMsrs() != 0;
            case VIRT_SPEC_CTRL_ENTER, VIRT_SPEC_CTRL_LEAVE -> VirtSpecCtrl.isNeeded(setup);
            default -> true;
        };
    }

    /// vcpu_load: from a system call, or when the scheduler brings the vCPU back.
    void load(Vcpu v, int pcpu) {
        boolean barrier = needsBarrier(v, pcpu);
        boolean followsItself = v.machine().pcpu(pcpu).lastVcpu() == v.id();
        v.emit(new VcpuLoaded(pcpu));
        if (barrier) {
            v.barrier();
        }
        if (v.state().is(Kvm.TASK_SWITCHED)) {
            vendor.scheduledIn(v, followsItself);
        }
        run(phases.load(), v);
        v.set(Kvm.GUEST_STATE_LOADED, 0);
        if (v.state().kvm(Kvm.HOME_PCPU) != pcpu + 1) {
            vendor.loadedElsewhere(v);
            v.set(Kvm.HOME_PCPU, pcpu + 1);
        }
    }

    /// Whether something else than what runs now ran on this pCPU before.
    private boolean needsBarrier(Vcpu v, int pcpu) {
        if (!phases.load().contains(Step.IBPB_ON_SWITCH)) {
            return false;
        }
        boolean otherVcpu = v.machine().pcpu(pcpu).lastVcpu() != v.id();
        boolean otherLevel = v.machine().pcpu(pcpu).lastLevel() != v.state().level();
        boolean vendorRule = v.setup().policy().ibpb().vcpuSwitch() == Ibpb.Switch.VENDOR;
        return otherVcpu || (vendorRule && otherLevel && v.state().vendor() == Vendor.SVM);
    }

    /// From the end of handling to the door of the guest.
    void beforeEntry(Vcpu v) {
        if (v.state().is(Kvm.RECALC_INTERCEPTS)) {
            msrs.recalculate(v);
        }
        if (!v.state().is(Kvm.GUEST_STATE_LOADED)) {
            run(phases.prepare(), v);
            v.set(Kvm.GUEST_STATE_LOADED, 1);
        }
        run(phases.beforeEntry(), v);
    }

    void afterExit(Vcpu v) {
        if (!v.setup().tagsReturns()) {
            v.flushReturns(RapCause.RSB_FILL);
        }
        run(phases.afterExit(), v);
        specCtrl.resume(v);
        vendor.interceptDebugRegisters(v);
    }

    /// The scheduler takes the vCPU off: another task wants the pCPU, or the vCPU sleeps.
    void scheduleOut(Vcpu v, boolean preempted) {
        vendor.scheduledOut(v, preempted);
        put(v);
    }

    /// vcpu_put: the scheduler takes the vCPU off, or the system call ends.
    void put(Vcpu v) {
        run(phases.put(), v);
        v.emit(new VcpuPut());
        v.out().at(Moment.PUT);
    }

    /// KVM_RUN returns with a reason.
    void exitToUserspace(Vcpu v, int reason) {
        v.emit(new UserspaceExited(reason));
        put(v);
        run(phases.returnToUser(), v);
    }

    private void run(List<Step> steps, Vcpu v) {
        for (int i = 0; i < steps.size(); i++) {
            run(steps.get(i), v);
        }
    }

    private void run(Step step, Vcpu v) {
        switch (step) {
            case IBPB_ON_SWITCH -> {}
            case SPEC_CTRL_ENTER -> specCtrl.enter(v);
            case SPEC_CTRL_LEAVE -> specCtrl.leave(v);
            case SPEC_CTRL_READ -> specCtrl.save(v);
            case SPEC_CTRL_RESTORE -> specCtrl.restore(v);
            case USER_RETURN_MSRS -> userReturn.load(v);
            case USER_RETURN_RESTORE -> userReturn.restore(v);
            case INJECT -> inject(v);
            case PT_ENTER -> pt.enter(v);
            case PT_LEAVE -> pt.leave(v);
            case XCR0_LOAD -> xsave.loadXcr0(v);
            case XSS_LOAD -> xsave.loadXss(v);
            case XSS_RESTORE -> xsave.restoreXss(v);
            case XCR0_RESTORE -> xsave.restoreXcr0(v);
            case FPU_LOAD -> xsave.loadFpu(v);
            case FPU_PUT -> xsave.putFpu(v);
            case VIRT_SPEC_CTRL_ENTER -> virtSpecCtrl.enter(v);
            case VIRT_SPEC_CTRL_LEAVE -> virtSpecCtrl.leave(v);
            default -> vendor.run(step, v);
        }
    }

    /// The highest pending interrupt; the guests we run keep interrupts enabled.
    private void inject(Vcpu v) {
        int vector = v.state().highestPending();
        if (vector >= 0 && !vendor.injecting(v)) {
            vendor.inject(v, vector, EventType.INTERRUPT);
        }
    }
}

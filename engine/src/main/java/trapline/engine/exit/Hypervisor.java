package trapline.engine.exit;

import java.util.ArrayList;
import java.util.List;
import trapline.engine.cpu.Exit;
import trapline.engine.cpu.GuestOp;
import trapline.engine.event.InputEvent;
import trapline.engine.event.InputEvent.SpecCtrlForceRequested;
import trapline.engine.event.Kvm;
import trapline.engine.event.Moment;
import trapline.engine.policy.Mechanisms;
import trapline.engine.policy.PtPolicy;

/// The KVM-like hypervisor: what it decides between an exit and the next entry.
///
/// It decides by emitting events, each applied before it looks again; it changes nothing itself.
public final class Hypervisor {

    private final VendorCode vendor;
    private final Phases phases;
    private final MsrAccess msrs;
    private final Userspace userspace;
    private final ExitHandlers handlers;
    private final SpecCtrlRequests specCtrlRequests;
    private final MitigationVmm mitigations;

    public Hypervisor(VendorCode vendor, Setup setup) {
        this.vendor = vendor;
        SpecCtrl specCtrl = new SpecCtrl(vendor);
        UserReturn userReturn = new UserReturn(vendor);
        PtMsrs pt = new PtMsrs(vendor);
        XsaveState xsave = new XsaveState();
        List<MsrFamily> families = new ArrayList<>(List.of(specCtrl));
        Mechanisms mechanisms = setup.policy().mechanisms();
        if (mechanisms.pt().mode() != PtPolicy.Mode.UNKNOWN) {
            families.add(pt);
        }
        if (vendor.emulatesVirtualMsrs()) {
            families.add(new VirtualMsrs(vendor, specCtrl));
        }
        if (mechanisms.xss().known()) {
            families.add(xsave);
            families.add(new Cet(vendor));
        }
        msrs = new MsrAccess(vendor, specCtrl, userReturn, families);
        phases = new Phases(vendor, specCtrl, userReturn, pt, xsave, msrs, setup);
        specCtrlRequests = new SpecCtrlRequests(vendor, specCtrl);
        mitigations = new MitigationVmm(setup);
        userspace = new Userspace(phases, msrs, specCtrlRequests, mitigations);
        handlers = new ExitHandlers(phases, vendor, msrs, userspace);
    }

    /// Userspace does what the policy has it do before the VM has vCPUs.
    public void setUp(Vcpu first) {
        mitigations.setUp(first);
    }

    /// Userspace asks for something before the VM has vCPUs.
    public void setUp(Vcpu first, InputEvent wish) {
        if (wish instanceof SpecCtrlForceRequested request) {
            specCtrlRequests.beforeVcpus(first, request);
        }
    }

    /// The vCPU has been made: what userspace wanted for the VM, as far as it has to ask each vCPU for it.
    public void setUpVcpu(Vcpu v, InputEvent wish) {
        if (wish instanceof SpecCtrlForceRequested request) {
            specCtrlRequests.made(v, request);
        }
    }

    /// Makes the vCPU and shows it its CPUID: it begins on the pCPU of its own number.
    public void create(Vcpu v) {
        v.set(Kvm.PCPU, v.id());
        v.set(Kvm.RECALC_INTERCEPTS, 0);
        vendor.create(v);
        msrs.start(v);
    }

    /// Handles one exit, from the processor's last store on.
    ///
    /// @param op what the guest was at; null for an interrupt
    public Next decide(Exit exit, GuestOp op, Vcpu v) {
        phases.afterExit(v);
        v.out().at(Moment.HANDLER);
        vendor.exited(v);
        if (v.state().level() == 2 && vendor.wantedByL1(exit, op, v)) {
            if (op != null) {
                v.emit(Completion.reflected(op, v));
            }
            vendor.exitToL1(v);
            return Next.CONTINUE;
        }
        return handlers.decide(exit, op, v);
    }

    /// All that happens before VM entry.
    public void beforeEntry(Vcpu v) {
        phases.beforeEntry(v);
    }

    /// The host's scheduler takes the vCPU off its pCPU, for another task.
    public void preempt(Vcpu v) {
        phases.scheduleOut(v, true);
    }

    /// A system call of userspace's ends.
    public void put(Vcpu v) {
        phases.put(v);
    }

    /// The host's scheduler brings it back.
    public void load(Vcpu v, int pcpu) {
        phases.load(v, pcpu);
    }

    /// An ioctl of userspace's, on a vCPU that is out of the guest or on the whole machine.
    public void request(Vcpu v, InputEvent request) {
        userspace.request(v, request);
    }

    public void exitToUserspace(Vcpu v, int reason) {
        phases.exitToUserspace(v, reason);
    }
}

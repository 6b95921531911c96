package trapline.engine.exit;

import trapline.engine.cpu.Exit;
import trapline.engine.cpu.GuestOp;
import trapline.engine.event.HypervisorEvent.UserspaceMsrStored;
import trapline.engine.event.Kvm;
import trapline.engine.event.Moment;
import trapline.engine.event.Outcome;

/// The KVM-like hypervisor: what it decides between an exit and the next entry.
///
/// It decides by emitting events, each applied before it looks again; it changes nothing itself.
public final class Hypervisor {

    private final VendorCode vendor;
    private final Phases phases;
    private final MsrAccess msrs;
    private final ExitHandlers handlers;

    public Hypervisor(VendorCode vendor, Setup setup) {
        this.vendor = vendor;
        SpecCtrl specCtrl = new SpecCtrl(vendor);
        UserReturn userReturn = new UserReturn(vendor);
        PtMsrs pt = new PtMsrs(vendor);
        phases = new Phases(vendor, specCtrl, userReturn, pt, setup);
        msrs = new MsrAccess(vendor, specCtrl, userReturn, pt, setup);
        handlers = new ExitHandlers(phases, vendor, msrs);
    }

    /// Makes the vCPU and shows it its CPUID: it begins on the pCPU of its own number.
    public void create(Vcpu v) {
        v.set(Kvm.PCPU, v.id());
        vendor.create(v);
        msrs.start(v);
    }

    /// Handles one exit, from the processor's last store on.
    ///
    /// @param op what the guest was at; null for an interrupt
    public Next decide(Exit exit, GuestOp op, Vcpu v) {
        phases.afterExit(v);
        v.out().at(Moment.HANDLER);
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

    /// The host's scheduler takes the vCPU off its pCPU.
    public void put(Vcpu v) {
        phases.put(v);
    }

    /// The host's scheduler brings it back.
    public void load(Vcpu v, int pcpu) {
        phases.load(v, pcpu);
    }

    /// KVM_SET_MSRS by userspace, for which the vCPU is out of the guest.
    public void setMsr(Vcpu v, int msr, long value) {
        boolean accepted = msrs.write(v, msr, value, true).done();
        v.emit(new UserspaceMsrStored(msr, value, accepted ? Outcome.DONE : Outcome.GP));
    }

    public void exitToUserspace(Vcpu v, int reason) {
        phases.exitToUserspace(v, reason);
    }
}

package trapline.engine.exit;

import java.util.List;
import trapline.engine.cpu.Exit;
import trapline.engine.cpu.GuestOp;
import trapline.engine.event.HypervisorEvent.EventType;
import trapline.engine.event.Outcome;
import trapline.engine.event.Reg;
import trapline.engine.policy.Policy.Access;
import trapline.engine.policy.Policy.Phases;
import trapline.engine.policy.SpecCtrlForce;
import trapline.engine.policy.Step;

/// What KVM leaves to its vendor modules.
public interface VendorCode {

    /// The order of steps that the tree has for this vendor.
    Phases phases();

    /// The MSRs that the tree passes through whatever the guest is.
    List<Access> passThrough();

    /// Makes the vCPU's structure, with userspace's initial registers in it.
    void create(Vcpu v);

    /// The vCPU is loaded on a pCPU it was not on before.
    void loadedElsewhere(Vcpu v);

    /// The scheduler takes the vCPU off its pCPU: preempted by another task, or asleep.
    default void scheduledOut(Vcpu v, boolean preempted) {}

    /// The scheduler brings it back, after an absence that vendor code took note of.
    ///
    /// @param followsItself whether no other vCPU was loaded on this pCPU since
    default void scheduledIn(Vcpu v, boolean followsItself) {}

    /// What vendor code does with every exit, before anyone asks who wants it.
    default void exited(Vcpu v) {}

    /// INVLPG or INVPCID, carried out for the guest.
    default void invalidate(Vcpu v, GuestOp.TlbInvalidate op) {}

    /// One step of a phase that is not common to both vendors.
    void run(Step step, Vcpu v);

    /// Queues an event for the next entry.
    void inject(Vcpu v, int vector, EventType type);

    /// Whether an event is queued already.
    boolean injecting(Vcpu v);

    /// Whether the guest's writes of an MSR exit as the structure loaded now has it, as KVM asks it.
    boolean writesExit(Vcpu v, int msr);

    /// Where SPEC_CTRL is kept when the processor switches it.
    void storeVirtualSpecCtrl(Vcpu v, long value);

    /// Where the guest's RTIT_CTL is for the next entry to load.
    void storeTraceControl(Vcpu v, long value);

    /// How bits of SPEC_CTRL are forced here: as the policy says, as far as the processor can.
    SpecCtrlForce specCtrlForce();

    /// What the guest is to find in SPEC_CTRL, where the processor shadows it.
    void writeSpecCtrlShadow(Vcpu v, long value);

    /// What it wrote there since, which goes into the hypervisor's copies with the event.
    void readSpecCtrlShadow(Vcpu v);

    /// The bits that the guest's writes do not reach, in all structures that run it.
    void writeSpecCtrlMask(Vcpu v, long mask);

    /// Whether the virtual MSRs of mitigations are emulated here.
    boolean emulatesVirtualMsrs();

    /// Stores an MSR that the guest's structure or the hardware holds as a register.
    void storeRegister(Vcpu v, int msr, Reg register, long value);

    void storeControlRegister(Vcpu v, int cr, long value);

    /// Lets the guest have its debug registers until the next exit.
    void passDebugRegisters(Vcpu v);

    /// After an exit: debug registers are intercepted again.
    void interceptDebugRegisters(Vcpu v);

    /// The guest spins: it may spin longer before it exits next time.
    void growPauseWindow(Vcpu v);

    /// Whether L1 wants this exit of L2.
    boolean wantedByL1(Exit exit, GuestOp op, Vcpu v);

    /// Gives the exit that just happened in L2 to L1.
    void exitToL1(Vcpu v);

    /// Carries out VMLAUNCH, VMRESUME or VMRUN for L1, and emits how it ended.
    void enterL2(Vcpu v, GuestOp.EnterNested op);

    /// While L2 runs: makes its MSR bitmap of 01's and 12's once more.
    void mergeBitmaps(Vcpu v);

    /// Carries out another virtualization instruction for L1.
    Outcome execute(Vcpu v, GuestOp.VmOp op);

    /// The value that VMREAD gave.
    long read(Vcpu v, GuestOp.VmOp op);
}

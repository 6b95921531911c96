package trapline.engine.state;

import trapline.engine.Check;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.HardwareEvent;
import trapline.engine.event.HypervisorEvent;
import trapline.engine.event.InputEvent;
import trapline.engine.event.ObservedEvent;
import trapline.engine.event.Reg;
import trapline.engine.event.Stamp;
import trapline.engine.table.Field;
import trapline.engine.table.Layout;

/// The whole machine as the events so far left it: the virtual machine, its vCPUs, the physical CPUs.
///
/// [#apply] is the only way to change it, for the live engine and the replayer alike.
public final class MachineState {

    private static final Field ERAP_CONTROL = Layout.VMCB.named("erap_ctl");
    private static final long ALLOW_LARGER_RAP = 1;

    /// Entries of a return-address predictor that nobody enlarged.
    private static final int PREDICTOR = 32;

    private final MachineConfig config;
    final VmState vm;
    final PcpuState[] pcpus;
    final VcpuState[] vcpus;
    final RegisterSet exitStores;
    final RegisterSet vmsaveStores;
    long order;

    public MachineState(MachineConfig config) {
        this.config = config;
        vm = new VmState();
        pcpus = new PcpuState[config.pcpus()];
        for (int i = 0; i < pcpus.length; i++) {
            pcpus[i] = new PcpuState(i, config);
        }
        vcpus = new VcpuState[config.vcpus()];
        for (int i = 0; i < vcpus.length; i++) {
            vcpus[i] = new VcpuState(i, config.vendor());
        }
        exitStores = RegisterSet.atExit(config.vendor(), config.vSpecCtrl(), config.cet());
        vmsaveStores = RegisterSet.atVmsave();
    }

    private MachineState(MachineState other) {
        config = other.config;
        vm = other.vm.copy();
        vcpus = new VcpuState[other.vcpus.length];
        for (int i = 0; i < vcpus.length; i++) {
            vcpus[i] = other.vcpus[i].copy();
        }
        pcpus = new PcpuState[other.pcpus.length];
        for (int i = 0; i < pcpus.length; i++) {
            pcpus[i] = other.pcpus[i].copy(vcpus);
        }
        exitStores = other.exitStores;
        vmsaveStores = other.vmsaveStores;
        order = other.order;
    }

    /// Folds one event into the state.
    public void apply(Envelope envelope) {
        VcpuState vcpu = advance(envelope.stamp());
        switch (envelope.event()) {
            case GuestEvent event -> GuestFold.apply(event, vcpu, this);
            case InputEvent event -> InputFold.apply(event, vcpu);
            case HardwareEvent event -> HardwareFold.apply(event, vcpu, this);
            case HypervisorEvent event -> HypervisorFold.apply(event, vcpu, this);
            case ObservedEvent _ -> {}
        }
    }

    private VcpuState advance(Stamp stamp) {
        Check.that(stamp.order() == order + 1, "order %d after %d", stamp.order(), order);
        VcpuState vcpu = vcpus[stamp.vcpu()];
        Check.that(
                stamp.seq() == vcpu.seq + 1,
                "vCPU %d: sequence number %d after %d",
                vcpu.id,
                stamp.seq(),
                vcpu.seq);
        Check.that(
                stamp.tick() >= vcpu.tick,
                "vCPU %d: tick %d after %d",
                vcpu.id,
                stamp.tick(),
                vcpu.tick);
        order = stamp.order();
        vcpu.seq = stamp.seq();
        vcpu.tick = stamp.tick();
        vcpu.op = stamp.op();
        return vcpu;
    }

    public MachineConfig config() {
        return config;
    }

    /// The order number of the last event applied.
    public long order() {
        return order;
    }

    public VmState vm() {
        return vm;
    }

    public VcpuState vcpu(int id) {
        return vcpus[id];
    }

    public int vcpus() {
        return vcpus.length;
    }

    public PcpuState pcpu(int id) {
        return pcpus[id];
    }

    public int pcpus() {
        return pcpus.length;
    }

    /// The pCPU that a vCPU is loaded on, or was last.
    public PcpuState pcpuOf(VcpuState vcpu) {
        return pcpus[vcpu.pcpu()];
    }

    /// What a VM exit stores on this machine.
    public RegisterSet exitStores() {
        return exitStores;
    }

    /// What VMSAVE stores.
    public RegisterSet vmsaveStores() {
        return vmsaveStores;
    }

    /// How many return addresses the predictor has for the guest (FACTS 3.2).
    public int returnEntries(VcpuState vcpu) {
        return config.largePredictor() != 0 && vcpu.current().has(ERAP_CONTROL, ALLOW_LARGER_RAP)
                ? config.largePredictor()
                : PREDICTOR;
    }

    /// Whether VM entry and exit, or VMLOAD, switch this MSR as part of the guest's registers.
    public boolean switched(int msr) {
        Reg register = RegisterMap.register(msr);
        return register != null
                && (exitStores.contains(register)
                        || (config.vendor() == Vendor.SVM && vmsaveStores.contains(register)));
    }

    /// What RDMSR by whoever runs on the vCPU's pCPU now would find, if nothing intercepted it.
    public long hardwareMsr(VcpuState vcpu, int msr) {
        return vcpu.mode() == VcpuState.Mode.GUEST && switched(msr)
                ? vcpu.msr(msr)
                : pcpuOf(vcpu).msr(msr);
    }

    public MachineState copy() {
        return new MachineState(this);
    }
}

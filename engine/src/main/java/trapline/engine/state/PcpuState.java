package trapline.engine.state;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import trapline.engine.event.Reg;

/// What the vCPUs of one physical CPU share. Only this package changes it.
public final class PcpuState {

    final int id;
    final MsrFile msrs;

    /// Null on Intel, where VM entry and exit switch all of it.
    final VmloadState vmload;

    private final SortedMap<Integer, Long> host;

    /// What the hypervisor read of the host's MSRs when it loaded the vCPU here, to write it back later; null while that
    /// is what the host has.
    MsrFile copies;

    int lastVcpu = -1;
    int lastLevel = 1;
    long nextAsid = 1;
    final ReturnStack returns;
    long xcr0;

    PcpuState(int id, MachineConfig config) {
        this.id = id;
        msrs = new MsrFile();
        xcr0 = config.hostXcr0();
        host = config.hostMsrs(id);
        vmload =
                config.vendor() == Vendor.SVM
                        ? new VmloadState(host, config.hostSegments(id))
                        : null;
        for (Map.Entry<Integer, Long> msr : host.entrySet()) {
            msrs.put(msr.getKey(), msr.getValue());
        }
        returns = new ReturnStack();
    }

    private PcpuState(PcpuState other, VcpuState[] vcpus) {
        id = other.id;
        msrs = other.msrs.copy();
        lastVcpu = other.lastVcpu;
        host = other.host;
        vmload = other.vmload == null ? null : other.vmload.copy(vcpus);
        copies = other.copies == null ? null : other.copies.copy();
        lastLevel = other.lastLevel;
        nextAsid = other.nextAsid;
        returns = other.returns.copy();
        xcr0 = other.xcr0;
    }

    public int id() {
        return id;
    }

    /// An MSR as the hardware holds it now, other than those that VM entry and exit switch.
    public long msr(int msr) {
        int place = vmload == null ? -1 : VmloadState.place(msr);
        return place < 0 ? msrs.get(msr) : vmload.value(place);
    }

    /// A register that VMLOAD moves, as the hardware holds it now.
    public long register(Reg register) {
        return vmload.value(VmloadState.place(register));
    }

    /// The same register as the host has it for itself.
    public long hostRegister(Reg register) {
        return vmload.own(VmloadState.place(register));
    }

    /// A register that VMLOAD moves, as the host's save area holds it.
    public long savedRegister(Reg register) {
        return vmload.saved(VmloadState.place(register));
    }

    /// The registers that VMLOAD moves; none on Intel.
    public List<Reg> vmloadRegisters() {
        return vmload == null ? List.of() : VmloadState.REGISTERS;
    }

    /// Whether all that VMLOAD moves is one vCPU's.
    public boolean holdsAllOf(VcpuState vcpu) {
        return vmload.isAll(vcpu);
    }

    /// What the hypervisor read of an MSR when it loaded the vCPU here.
    public long copy(int msr) {
        return copies != null && copies.has(msr) ? copies.get(msr) : own(msr);
    }

    /// An MSR as the host has it for itself.
    long own(int msr) {
        return host.getOrDefault(msr, 0L);
    }

    void copied(int msr, long value) {
        if (copies == null && value != own(msr)) {
            copies = new MsrFile();
        }
        if (copies != null) {
            copies.put(msr, value);
        }
    }

    /// An MSR got a value by WRMSR.
    void write(int msr, long value) {
        int place = vmload == null ? -1 : VmloadState.place(msr);
        if (place < 0) {
            msrs.put(msr, value);
        } else {
            vmload.set(place, value);
        }
    }

    public boolean hasMsr(int msr) {
        return msrs.has(msr);
    }

    public int[] msrIndices() {
        return msrs.indices();
    }

    /// The vCPU that was loaded here last, or -1.
    public int lastVcpu() {
        return lastVcpu;
    }

    /// The vCPU whose VMLOAD state was loaded last as a whole, or -1 for the host's.
    public int vmloadOwner() {
        return vmload == null ? -1 : vmload.owner();
    }

    /// Whether L1's or L2's structure of that vCPU was loaded.
    public int lastLevel() {
        return lastLevel;
    }

    /// The address-space identifier that the next VMCB here gets.
    public long nextAsid() {
        return nextAsid;
    }

    /// The return addresses that guests left in the predictor.
    public ReturnStack returns() {
        return returns;
    }

    /// XCR0 as the hardware holds it now.
    public long xcr0() {
        return xcr0;
    }

    PcpuState copy(VcpuState[] vcpus) {
        return new PcpuState(this, vcpus);
    }
}

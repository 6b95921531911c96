package trapline.engine.state;

import java.util.Map;

/// What the vCPUs of one physical CPU share. Only this package changes it.
public final class PcpuState {

    final int id;
    final MsrFile msrs;
    int lastVcpu = -1;
    int vmloadOwner = -1;
    int lastLevel = 1;
    long nextAsid = 1;
    final ReturnStack returns;
    long xcr0;

    PcpuState(int id, MachineConfig config) {
        this.id = id;
        msrs = new MsrFile();
        xcr0 = config.hostXcr0();
        for (Map.Entry<Integer, Long> msr : config.hostMsrs(id).entrySet()) {
            msrs.put(msr.getKey(), msr.getValue());
        }
        returns = new ReturnStack();
    }

    private PcpuState(PcpuState other) {
        id = other.id;
        msrs = other.msrs.copy();
        lastVcpu = other.lastVcpu;
        vmloadOwner = other.vmloadOwner;
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
        return msrs.get(msr);
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

    /// The vCPU whose VMLOAD state the processor holds, or -1 for the host's.
    public int vmloadOwner() {
        return vmloadOwner;
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

    PcpuState copy() {
        return new PcpuState(this);
    }
}

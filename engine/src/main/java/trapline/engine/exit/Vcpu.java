package trapline.engine.exit;

import trapline.engine.event.Emitter;
import trapline.engine.event.Event;
import trapline.engine.event.HardwareEvent.RapCause;
import trapline.engine.event.HardwareEvent.RapFlushed;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.HostMsrFaulted;
import trapline.engine.event.HypervisorEvent.HostMsrRead;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.HypervisorEvent.VariableChanged;
import trapline.engine.event.Kvm;
import trapline.engine.event.Reg;
import trapline.engine.state.MachineState;
import trapline.engine.state.PcpuState;
import trapline.engine.state.VcpuState;
import trapline.engine.table.Msrs;
import trapline.engine.table.StateComponents;

/// One vCPU as the hypervisor's code sees it: state to read, events to emit.
///
/// @param state read-only here; each emitted event has been applied when `emit` returns
public record Vcpu(VcpuState state, MachineState machine, Emitter out, Setup setup) {

    private static final int XSAVE_LEAF = 0xd;

    public int id() {
        return state.id();
    }

    /// Emits an event and returns its order number.
    public long emit(Event event) {
        return out.emit(event);
    }

    public PcpuState pcpu() {
        return machine.pcpuOf(state);
    }

    /// An MSR of the pCPU while only the host runs.
    public long hostValue(int msr) {
        return machine.config().hostMsrs(state.pcpu()).getOrDefault(msr, 0L);
    }

    /// What CPUID tells the guest: the vCPU model's, and the size of the XSAVE area as XCR0 and IA32_XSS make it now.
    public int[] cpuid(int leaf, int subleaf) {
        int[] registers = setup.model().cpuid(leaf, subleaf, state.id());
        if (leaf == XSAVE_LEAF
                && subleaf == 1
                && setup.policy().mechanisms().xss().known()
                && setup.model().has("XSAVES")) {
            long enabled = state.register(Reg.XCR0) | state.kvm(Kvm.XSS);
            registers[1] = StateComponents.compactedSize(enabled);
        }
        return registers;
    }

    /// What the hypervisor read of an MSR when it loaded this vCPU.
    public long copy(int msr) {
        return pcpu().copy(msr);
    }

    public void set(Kvm variable, long value) {
        long old = state.kvm(variable);
        if (old != value) {
            emit(new VariableChanged(variable, old, value));
        }
    }

    /// The hypervisor executes RDMSR.
    public long hostRead(int msr, HostCause cause) {
        long value = pcpu().msr(msr);
        emit(new HostMsrRead(msr, value, cause));
        return value;
    }

    /// The hypervisor executes WRMSR with a value that the hardware takes.
    public void hostWrite(int msr, long value, HostCause cause) {
        emit(new HostMsrWritten(msr, value, cause));
        if (msr == Msrs.PRED_CMD
                && (value & 1) != 0
                && setup.tagsReturns()
                && setup.platform().predictor().ibpbClears()) {
            flushReturns(RapCause.IBPB);
        }
    }

    /// Hardware clears the predictor of return addresses; it is told if there were any.
    public void flushReturns(RapCause cause) {
        int entries = pcpu().returns().size();
        if (entries != 0) {
            emit(new RapFlushed(cause, entries));
        }
    }

    /// IBPB, where the host can do it: what ran before must not steer what runs now.
    public void barrier() {
        if (setup.hardware().hasIbpb()) {
            hostWrite(Msrs.PRED_CMD, 1, HostCause.IBPB);
        }
    }

    /// The hypervisor tries WRMSR; false where the hardware faults.
    public boolean hostTry(int msr, long value, HostCause cause) {
        if (!setup.hardware().accepts(msr, value)) {
            emit(new HostMsrFaulted(msr, true, value, cause));
            return false;
        }
        hostWrite(msr, value, cause);
        return true;
    }
}

package trapline.replayer.explore;

import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent.ExtendedStateMoved;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.GuestEvent.StateInstruction;
import trapline.engine.event.HypervisorEvent.HostMsrFaulted;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.HypervisorEvent.UserspaceMsrStored;
import trapline.engine.event.MsrValues;
import trapline.engine.event.ObservedEvent.MsrLogged;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Tracepoint;
import trapline.engine.state.MachineState;
import trapline.engine.state.VcpuState;

/// Writes of one MSR: the guest's (whatever became of them), userspace's for it, the hypervisor's own, and whatever else
/// changes the value that the guest has. Of a trace, the writes that it shows.
final class MsrWrite implements Wanted {

    private static final int WRITE = Tracepoint.KVM_MSR.field("write");
    private static final int INDEX = Tracepoint.KVM_MSR.field("msr");

    private final int msr;
    private final boolean model;
    private long[] values;

    /// @param model whether there is a state
    MsrWrite(int msr, boolean model) {
        this.msr = msr;
        this.model = model;
    }

    @Override
    public boolean needsState() {
        return model;
    }

    @Override
    public void begin(MachineState machine) {
        values = new long[machine.vcpus()];
        for (int vcpu = 0; vcpu < values.length; vcpu++) {
            changes(machine.vcpu(vcpu));
        }
    }

    @Override
    public boolean fits(Envelope event, MachineState after) {
        boolean changed = after != null && changes(after.vcpu(event.stamp().vcpu()));
        return changed || writes(event.event());
    }

    private boolean changes(VcpuState vcpu) {
        long value = vcpu.msr(msr);
        boolean changed = value != values[vcpu.id()];
        values[vcpu.id()] = value;
        return changed;
    }

    private boolean writes(Event event) {
        return switch (event) {
            case MsrWritten e -> e.msr() == msr;
            case ExtendedStateMoved e ->
                    e.instruction() == StateInstruction.XRSTORS && has(e.values());
            case UserspaceMsrStored e -> e.msr() == msr;
            case HostMsrWritten e -> e.msr() == msr;
            case HostMsrFaulted e -> e.write() && e.msr() == msr;
            case MsrLogged e -> e.write() && e.msr() == msr;
            case TracepointHit e ->
                    e.point() == Tracepoint.KVM_MSR
                            && e.fields().value(WRITE, 0) != 0
                            && (int) e.fields().value(INDEX, 0) == msr;
            default -> false;
        };
    }

    private boolean has(MsrValues values) {
        for (int i = 0; i < values.size(); i++) {
            if (values.msr(i) == msr) {
                return true;
            }
        }
        return false;
    }
}

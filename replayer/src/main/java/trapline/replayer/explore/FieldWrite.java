package trapline.replayer.explore;

import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent.NestedFieldStored;
import trapline.engine.event.GuestEvent.VmInstruction;
import trapline.engine.event.GuestEvent.VmInstructionExecuted;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmEntryFailed;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.HostStateSaved;
import trapline.engine.event.HypervisorEvent.RegistersChanged;
import trapline.engine.event.HypervisorEvent.VmcbFieldWritten;
import trapline.engine.event.HypervisorEvent.VmcsFieldWritten;
import trapline.engine.event.Outcome;
import trapline.engine.event.Writes;
import trapline.engine.state.MachineState;
import trapline.engine.state.VcpuState;
import trapline.engine.table.Field;

/// Writes of one field of a VMCS or VMCB, in any of the vCPU's structures: those of the hypervisor and of L1, those that
/// the processor makes at exit and entry, and whatever else changes its value.
final class FieldWrite implements Wanted {

    private static final int[] STRUCTURES = {1, 2, 12};

    private final Field field;
    private long[][] values;

    FieldWrite(Field field) {
        this.field = field;
    }

    @Override
    public boolean needsState() {
        return true;
    }

    @Override
    public void begin(MachineState machine) {
        values = new long[machine.vcpus()][STRUCTURES.length];
        for (int vcpu = 0; vcpu < values.length; vcpu++) {
            changes(machine.vcpu(vcpu));
        }
    }

    @Override
    public boolean fits(Envelope event, MachineState after) {
        boolean changed = changes(after.vcpu(event.stamp().vcpu()));
        return changed || writes(event.event());
    }

    private boolean changes(VcpuState vcpu) {
        boolean changed = false;
        long[] known = values[vcpu.id()];
        for (int i = 0; i < STRUCTURES.length; i++) {
            long value = vcpu.image(STRUCTURES[i]).get(field);
            changed |= value != known[i];
            known[i] = value;
        }
        return changed;
    }

    private boolean writes(Event event) {
        return switch (event) {
            case VmcsFieldWritten e -> e.field() == field.id();
            case VmcbFieldWritten e -> e.field() == field.id();
            case VmExited e -> has(e.written());
            case VmEntered e -> has(e.written());
            case VmEntryFailed e -> has(e.written());
            case RegistersChanged e -> has(e.written());
            case HostStateSaved e -> has(e.written());
            case NestedFieldStored e -> e.field() == field.id();
            case VmInstructionExecuted e ->
                    e.instruction() == VmInstruction.VMWRITE
                            && e.outcome() == Outcome.DONE
                            && e.operand() == field.id();
            default -> false;
        };
    }

    private boolean has(Writes written) {
        for (int i = 0; i < written.size(); i++) {
            if (written.place(i) == field.id()) {
                return true;
            }
        }
        return false;
    }
}

package trapline.engine.state;

import trapline.engine.event.HardwareEvent;
import trapline.engine.event.HardwareEvent.RapCause;
import trapline.engine.event.HardwareEvent.RapFlushed;
import trapline.engine.event.HardwareEvent.ReturnsPredicted;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmEntryFailed;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.Kvm;
import trapline.engine.event.Reg;
import trapline.engine.event.Writes;
import trapline.engine.table.Bits;
import trapline.engine.table.Field;
import trapline.engine.table.Layout;
import trapline.engine.table.Msrs;

/// What VM entry and exit do to the state.
final class HardwareFold {

    private static final Field ENTRY_CONTROLS = Layout.VMCS.named("VM_ENTRY_CONTROLS");
    private static final Field EXIT_CONTROLS = Layout.VMCS.named("VM_EXIT_CONTROLS");
    private static final Field GUEST_RTIT_CTL = Layout.VMCS.named("GUEST_IA32_RTIT_CTL");
    private static final long LOAD_RTIT_CTL = Bits.control("VM_ENTRY_LOAD_IA32_RTIT_CTL");
    private static final long CLEAR_RTIT_CTL = Bits.control("VM_EXIT_CLEAR_IA32_RTIT_CTL");

    private HardwareFold() {}

    static void apply(HardwareEvent event, VcpuState vcpu, MachineState machine) {
        switch (event) {
            case VmExited e -> {
                store(e.written(), vcpu);
                if (machine.config().trace()) {
                    clearTraceControl(vcpu, machine);
                }
                vcpu.stored(machine.exitStores);
                vcpu.setMode(VcpuState.Mode.ROOT);
                vcpu.set(Kvm.EXITS, vcpu.kvm(Kvm.EXITS) + 1);
            }
            case VmEntered e -> {
                store(e.written(), vcpu);
                if (machine.config().trace()) {
                    loadTraceControl(vcpu, machine);
                }
                vcpu.setMode(VcpuState.Mode.GUEST);
                if (vcpu.vendor == Vendor.SVM) {
                    machine.pcpuOf(vcpu).vmload.enter(vcpu);
                }
                vcpu.set(vcpu.level() == 1 ? Kvm.LAUNCHED_01 : Kvm.LAUNCHED_02, 1);
                if (vcpu.level() == 2) {
                    vcpu.set(Kvm.LAUNCHED_12, 1);
                }
                vcpu.set(Kvm.PAUSE_LAST, 0);
                vcpu.set(Kvm.PAUSE_FIRST, 0);
                vcpu.set(Kvm.RAP_DIRTY, 0);
                ReturnStack returns = machine.pcpuOf(vcpu).returns;
                if (!returns.isEmpty()) {
                    returns.limit(machine.returnEntries(vcpu));
                }
            }
            case VmEntryFailed e -> store(e.written(), vcpu);
            case RapFlushed e -> {
                machine.pcpuOf(vcpu).returns.clear();
                if (e.cause().compareTo(RapCause.STILL_SET) <= 0) {
                    vcpu.set(vcpu.level() == 1 ? Kvm.RAP_CAUSE_01 : Kvm.RAP_CAUSE_02, 0);
                }
            }
            case ReturnsPredicted _ -> {}
        }
    }

    /// The VM-entry control "load IA32_RTIT_CTL".
    private static void loadTraceControl(VcpuState vcpu, MachineState machine) {
        if (vcpu.current().has(ENTRY_CONTROLS, LOAD_RTIT_CTL)) {
            machine.pcpuOf(vcpu).msrs.put(Msrs.RTIT_CTL, vcpu.current().get(GUEST_RTIT_CTL));
        }
    }

    /// The VM-exit control "clear IA32_RTIT_CTL".
    private static void clearTraceControl(VcpuState vcpu, MachineState machine) {
        if (vcpu.current().has(EXIT_CONTROLS, CLEAR_RTIT_CTL)) {
            machine.pcpuOf(vcpu).msrs.put(Msrs.RTIT_CTL, 0);
        }
    }

    static void store(Writes written, VcpuState vcpu) {
        Image image = vcpu.current();
        for (int i = 0; i < written.size(); i++) {
            int place = written.place(i);
            if (place < 0) {
                vcpu.setRegister(Reg.of(~place), written.value(i));
            } else {
                vcpu.setField(image, place, written.value(i));
            }
        }
    }
}

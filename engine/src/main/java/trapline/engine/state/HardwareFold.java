package trapline.engine.state;

import trapline.engine.event.HardwareEvent;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmEntryFailed;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.Kvm;
import trapline.engine.event.Reg;
import trapline.engine.event.Writes;

/// What VM entry and exit do to the state.
final class HardwareFold {

    private HardwareFold() {}

    static void apply(HardwareEvent event, VcpuState vcpu, MachineState machine) {
        switch (event) {
            case VmExited e -> {
                store(e.written(), vcpu);
                vcpu.stored(machine.exitStores);
                vcpu.setMode(VcpuState.Mode.ROOT);
                vcpu.set(Kvm.EXITS, vcpu.kvm(Kvm.EXITS) + 1);
            }
            case VmEntered e -> {
                store(e.written(), vcpu);
                vcpu.setMode(VcpuState.Mode.GUEST);
                vcpu.set(vcpu.level() == 1 ? Kvm.LAUNCHED_01 : Kvm.LAUNCHED_02, 1);
                if (vcpu.level() == 2) {
                    vcpu.set(Kvm.LAUNCHED_12, 1);
                }
                vcpu.set(Kvm.PAUSE_LAST, 0);
                vcpu.set(Kvm.PAUSE_FIRST, 0);
            }
            case VmEntryFailed e -> store(e.written(), vcpu);
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

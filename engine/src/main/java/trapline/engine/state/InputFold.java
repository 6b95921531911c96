package trapline.engine.state;

import trapline.engine.event.InputEvent;
import trapline.engine.event.InputEvent.DeviceRead;
import trapline.engine.event.InputEvent.HostPreempted;
import trapline.engine.event.InputEvent.InterruptArrived;
import trapline.engine.event.InputEvent.MsrExitsRequested;
import trapline.engine.event.InputEvent.MsrFilterRequested;
import trapline.engine.event.InputEvent.SpecCtrlForceRequested;
import trapline.engine.event.InputEvent.Target;
import trapline.engine.event.InputEvent.TimestampRead;
import trapline.engine.event.InputEvent.UserspaceMsrRequested;
import trapline.engine.event.InputEvent.UserspaceReplied;

/// What inputs do to the state by themselves: most act only through what the hypervisor makes of them.
final class InputFold {

    private InputFold() {}

    static void apply(InputEvent event, VcpuState vcpu) {
        switch (event) {
            case InterruptArrived(Target target, int vector) -> {
                if (target == Target.GUEST) {
                    vcpu.setPending(vector, true);
                    if (vcpu.mode() == VcpuState.Mode.HALTED) {
                        vcpu.setMode(VcpuState.Mode.ROOT);
                    }
                }
            }
            case UserspaceReplied e -> {
                if (e.write() && !e.error()) {
                    vcpu.userspaceMsrs.put(e.msr(), e.value());
                }
            }
            case HostPreempted _,
                    UserspaceMsrRequested _,
                    TimestampRead _,
                    DeviceRead _,
                    MsrFilterRequested _,
                    MsrExitsRequested _,
                    SpecCtrlForceRequested _ -> {}
        }
    }
}

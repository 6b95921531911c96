package trapline.engine.cpu;

import java.util.List;
import trapline.engine.event.Emitter;
import trapline.engine.event.HypervisorEvent.UserspaceMsrAsked;
import trapline.engine.event.InputEvent;
import trapline.engine.state.VcpuState;

/// What the world answers when the machine asks: the recorded answer where there is one, else the model's.
///
/// Each answer is emitted as an input before it is used.
public interface World {

    /// The guest's time-stamp counter.
    long timestamp(VcpuState vcpu, Emitter out);

    /// A device's answer to a read of `size` bytes from a port or a guest-physical address.
    long device(long address, int size, VcpuState vcpu, Emitter out);

    /// What userspace does about an MSR access that KVM returned to it: requests of its own, if it has any, and last
    /// the reply. Who asked emits them.
    List<InputEvent> userspace(UserspaceMsrAsked asked, VcpuState vcpu);
}

package trapline.engine.cpu;

import trapline.engine.event.Emitter;
import trapline.engine.state.VcpuState;

/// The virtualization hardware of one machine: it sees structures, bitmaps and MSRs, never a policy.
public interface Processor {

    /// Runs one op in the guest.
    ///
    /// @return null if the op ended in the guest, and its event is emitted; else why the guest stopped
    Exit execute(GuestOp op, VcpuState vcpu, Emitter out);

    /// An interrupt for the host stops the guest between two instructions.
    Exit interrupt(int vector, VcpuState vcpu, Emitter out);

    /// VM entry with the current structure.
    ///
    /// @return whether the guest runs now; if not, the failed check is emitted
    boolean enter(VcpuState vcpu, Emitter out);
}

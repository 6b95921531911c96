package trapline.engine.guest;

import trapline.engine.state.VcpuState;

/// The ops of one vCPU, made one by one.
public interface Program {

    /// The next step, or null at the end.
    ///
    /// @param vcpu the vCPU as the last step left it: an L1 has to know whether L2 runs
    Step next(VcpuState vcpu);
}

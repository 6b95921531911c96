package trapline.engine.guest;

import trapline.engine.state.MachineState;

/// One run of a guest: hands out steps in the session's total order.
public interface GuestRun {

    /// Moves to the next step.
    ///
    /// @return false at the end
    boolean advance(MachineState machine);

    /// The vCPU of the current step.
    int vcpu();

    Step step();
}

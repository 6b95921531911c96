package trapline.replayer.observed;

import java.util.List;
import trapline.engine.event.InputEvent;
import trapline.engine.guest.Step;

/// One step that a trace tells of, ready to be executed by the model.
///
/// @param op the ordinal of the guest op on its vCPU; that of the last one for an input
/// @param answers what the world answered to it
/// @param at where the trace has it
public record ObservedStep(int vcpu, long op, Step step, List<InputEvent> answers, At at) {

    /// A step's place in the trace, and what is to be held against the model's.
    ///
    /// @param order of the event that began it
    /// @param exit the VM exit that the trace shows, by name; empty where it shows none
    /// @param faulted whether the trace says that it raised #GP
    public record At(long order, long time, String exit, boolean faulted) {}
}

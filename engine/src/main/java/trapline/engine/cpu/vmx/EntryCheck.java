package trapline.engine.cpu.vmx;

import java.util.function.Predicate;
import trapline.engine.state.Image;

/// One thing that VM entry checks.
///
/// @param name as users see it
/// @param stage which group of checks it belongs to
/// @param holds whether a VMCS passes
record EntryCheck(String name, Stage stage, Predicate<Image> holds) {

    /// The groups, in the order in which the processor goes through them.
    enum Stage {
        CONTROLS,
        HOST,
        GUEST
    }

    /// What the processor reports: a VM-instruction error, or for guest state an exit reason.
    long reason() {
        return switch (stage) {
            case CONTROLS -> 7;
            case HOST -> 8;
            case GUEST -> Vmcs.ENTRY_FAILURE | VmxReason.INVALID_STATE;
        };
    }
}

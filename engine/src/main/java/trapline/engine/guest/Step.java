package trapline.engine.guest;

import trapline.engine.cpu.GuestOp;
import trapline.engine.event.InputEvent;

/// What comes next on one vCPU: an op of the guest, or something from outside.
public sealed interface Step {

    record Do(GuestOp op) implements Step {}

    /// @param tick when, in the vCPU's own time, if that is later than now
    record Meanwhile(InputEvent input, long tick) implements Step {
        public Meanwhile(InputEvent input) {
            this(input, 0);
        }
    }
}

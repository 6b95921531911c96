package trapline.engine.guest;

import trapline.engine.cpu.GuestOp;
import trapline.engine.event.InputEvent;

/// What comes next on one vCPU: an op of the guest, or something from outside.
public sealed interface Step {

    record Do(GuestOp op) implements Step {}

    record Meanwhile(InputEvent input) implements Step {}
}

package trapline.engine.cpu;

import java.util.function.IntToLongFunction;
import trapline.engine.event.GuestEvent.ExtendedStateMoved;
import trapline.engine.event.MsrValues;
import trapline.engine.event.Outcome;
import trapline.engine.state.ExtendedState;
import trapline.engine.state.VcpuState;
import trapline.engine.table.StateComponents;

/// What XSAVES and XRSTORS move, whoever carries them out (SDM vol. 1, chapter 13).
public final class ExtendedStateAccess {

    private ExtendedStateAccess() {}

    /// Whether XRSTORS takes the guest's area: XSAVES wrote it, and all of its components are enabled.
    ///
    /// @param enabled XCR0 and IA32_XSS together
    public static boolean restorable(VcpuState vcpu, long enabled) {
        long layout = vcpu.extended().layout();
        return (layout & ExtendedState.COMPACTED) != 0
                && (layout & ~ExtendedState.COMPACTED & ~enabled) == 0;
    }

    /// The MSRs of some components, each with the value that is found for it.
    public static MsrValues read(long components, IntToLongFunction value) {
        int[] msrs = StateComponents.msrs(components);
        long[] values = new long[msrs.length];
        for (int i = 0; i < msrs.length; i++) {
            values[i] = value.applyAsLong(msrs[i]);
        }
        return MsrValues.of(msrs, values);
    }

    /// The MSRs of some components with what XRSTORS gives them: 0 where the area lacks the component.
    public static MsrValues restored(long components, VcpuState vcpu) {
        return read(components, vcpu.extended().area()::get);
    }

    /// XSAVES or XRSTORS that raised an exception, or that L1 took.
    public static ExtendedStateMoved faulted(GuestOp.MoveState op, Outcome outcome) {
        return new ExtendedStateMoved(
                op.rip(), op.instruction(), op.mask(), 0, MsrValues.NONE, outcome);
    }
}

package trapline.engine.guest;

import trapline.engine.cpu.GuestOp;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.GuestEvent.CallsMade;
import trapline.engine.event.GuestEvent.ControlRegisterWritten;
import trapline.engine.event.GuestEvent.CpuidExecuted;
import trapline.engine.event.GuestEvent.DebugRegisterWritten;
import trapline.engine.event.GuestEvent.ExtendedControlWritten;
import trapline.engine.event.GuestEvent.ExtendedStateMoved;
import trapline.engine.event.GuestEvent.Halted;
import trapline.engine.event.GuestEvent.HypercallMade;
import trapline.engine.event.GuestEvent.InstructionsRetired;
import trapline.engine.event.GuestEvent.IoPerformed;
import trapline.engine.event.GuestEvent.MmioPerformed;
import trapline.engine.event.GuestEvent.MsrReadBack;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.GuestEvent.NestedBitmapStored;
import trapline.engine.event.GuestEvent.NestedEntered;
import trapline.engine.event.GuestEvent.NestedFieldStored;
import trapline.engine.event.GuestEvent.Paused;
import trapline.engine.event.GuestEvent.ReturnsMade;
import trapline.engine.event.GuestEvent.TimestampCounterRead;
import trapline.engine.event.GuestEvent.TlbInvalidated;
import trapline.engine.event.GuestEvent.VmInstruction;
import trapline.engine.event.GuestEvent.VmInstructionExecuted;
import trapline.engine.event.Outcome;

/// The op behind a recorded guest event, so that it can be executed again.
public final class Ops {

    private Ops() {}

    /// @param fromLog whether the session's guest is an imported log, whose values stand
    public static GuestOp of(GuestEvent event, boolean fromLog) {
        return switch (event) {
            case InstructionsRetired e -> new GuestOp.Run(e.rip(), e.count());
            case MsrWritten e -> new GuestOp.Wrmsr(e.rip(), e.msr(), e.value(), stands(e, fromLog));
            case MsrReadBack e ->
                    new GuestOp.Rdmsr(
                            e.rip(),
                            e.msr(),
                            stands(e, fromLog),
                            stands(e, fromLog) ? e.value() : 0);
            case CpuidExecuted e -> new GuestOp.Cpuid(e.rip(), e.leaf(), e.subleaf());
            case Halted e -> new GuestOp.Hlt(e.rip());
            case IoPerformed e ->
                    new GuestOp.Io(
                            e.rip(), e.port(), e.size(), e.write(), e.write() ? e.value() : 0);
            case MmioPerformed e ->
                    new GuestOp.Mmio(
                            e.rip(), e.address(), e.size(), e.write(), e.write() ? e.value() : 0);
            case HypercallMade e -> new GuestOp.Hypercall(e.rip(), e.vmmcall(), e.number());
            case ControlRegisterWritten e -> new GuestOp.MovToCr(e.rip(), e.cr(), e.value());
            case DebugRegisterWritten e -> new GuestOp.MovToDr(e.rip(), e.dr(), e.value());
            case TlbInvalidated e ->
                    new GuestOp.TlbInvalidate(e.rip(), e.instruction(), e.type(), e.operand());
            case TimestampCounterRead e -> new GuestOp.Rdtsc(e.rip());
            case ExtendedControlWritten e -> new GuestOp.Xsetbv(e.rip(), e.xcr(), e.value());
            case Paused e -> new GuestOp.Pause(e.rip());
            case ExtendedStateMoved e -> new GuestOp.MoveState(e.rip(), e.instruction(), e.mask());
            case VmInstructionExecuted e ->
                    new GuestOp.VmOp(
                            e.rip(),
                            e.instruction(),
                            e.operand(),
                            e.instruction() == VmInstruction.VMREAD ? 0 : e.value());
            case NestedFieldStored e -> new GuestOp.StoreNestedField(e.rip(), e.field(), e.value());
            case NestedBitmapStored e ->
                    new GuestOp.StoreNestedBitmap(e.rip(), e.msr(), e.read(), e.write());
            case CallsMade e -> new GuestOp.Call(e.rip(), e.count());
            case ReturnsMade e -> new GuestOp.Ret(e.rip(), e.count());
            case NestedEntered e -> new GuestOp.EnterNested(e.rip(), e.instruction(), e.address());
        };
    }

    /// Whether the log has a value: what faulted has none.
    private static boolean stands(GuestEvent event, boolean fromLog) {
        return fromLog && event.outcome() != Outcome.GP;
    }
}

package trapline.engine.exit;

import trapline.engine.cpu.ExtendedStateAccess;
import trapline.engine.cpu.GuestOp;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.GuestEvent.CallsMade;
import trapline.engine.event.GuestEvent.ControlRegisterWritten;
import trapline.engine.event.GuestEvent.CpuidExecuted;
import trapline.engine.event.GuestEvent.DebugRegisterWritten;
import trapline.engine.event.GuestEvent.ExtendedControlWritten;
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
import trapline.engine.event.GuestEvent.VmInstructionExecuted;
import trapline.engine.event.Outcome;

/// The event of an op that ended without a result of its own: it faulted, or L1 took it.
final class Completion {

    private Completion() {}

    /// An op that raised an exception.
    static GuestEvent faulted(GuestOp op, Outcome fault) {
        return of(op, fault, 0, new int[4]);
    }

    /// An op of L2 that L1 took. What L1 gave back is what this vCPU model has for the guest.
    static GuestEvent reflected(GuestOp op, Vcpu v) {
        return switch (op) {
            case GuestOp.Rdmsr o -> of(op, Outcome.REFLECTED, v.state().msr(o.msr()), new int[4]);
            case GuestOp.Cpuid o -> of(op, Outcome.REFLECTED, 0, v.cpuid(o.leaf(), o.subleaf()));
            default -> of(op, Outcome.REFLECTED, 0, new int[4]);
        };
    }

    private static GuestEvent of(GuestOp op, Outcome outcome, long result, int[] cpuid) {
        return switch (op) {
            case GuestOp.Run o -> new InstructionsRetired(o.rip(), o.count());
            case GuestOp.Wrmsr o -> new MsrWritten(o.rip(), o.msr(), o.value(), outcome);
            case GuestOp.Rdmsr o -> new MsrReadBack(o.rip(), o.msr(), result, outcome);
            case GuestOp.Cpuid o ->
                    new CpuidExecuted(
                            o.rip(),
                            o.leaf(),
                            o.subleaf(),
                            cpuid[0],
                            cpuid[1],
                            cpuid[2],
                            cpuid[3],
                            outcome);
            case GuestOp.Hlt o -> new Halted(o.rip(), outcome);
            case GuestOp.Io o ->
                    new IoPerformed(o.rip(), o.port(), o.size(), o.write(), o.value(), outcome);
            case GuestOp.Mmio o ->
                    new MmioPerformed(
                            o.rip(), o.address(), o.size(), o.write(), o.value(), outcome);
            case GuestOp.Hypercall o ->
                    new HypercallMade(o.rip(), o.vmmcall(), o.number(), result, outcome);
            case GuestOp.MovToCr o ->
                    new ControlRegisterWritten(o.rip(), o.cr(), o.value(), outcome);
            case GuestOp.MovToDr o -> new DebugRegisterWritten(o.rip(), o.dr(), o.value(), outcome);
            case GuestOp.TlbInvalidate o ->
                    new TlbInvalidated(o.rip(), o.instruction(), o.type(), o.operand(), outcome);
            case GuestOp.Rdtsc o -> new TimestampCounterRead(o.rip(), result, outcome);
            case GuestOp.Xsetbv o ->
                    new ExtendedControlWritten(o.rip(), o.xcr(), o.value(), outcome);
            case GuestOp.Pause o -> new Paused(o.rip(), outcome);
            case GuestOp.MoveState o -> ExtendedStateAccess.faulted(o, outcome);
            case GuestOp.VmOp o ->
                    new VmInstructionExecuted(
                            o.rip(), o.instruction(), o.operand(), o.value(), outcome);
            case GuestOp.StoreNestedField o -> new NestedFieldStored(o.rip(), o.field(), o.value());
            case GuestOp.StoreNestedBitmap o ->
                    new NestedBitmapStored(o.rip(), o.msr(), o.read(), o.write());
            case GuestOp.Call o -> new CallsMade(o.rip(), o.count());
            case GuestOp.Ret o -> new ReturnsMade(o.rip(), o.count());
            case GuestOp.EnterNested o ->
                    new NestedEntered(o.rip(), o.instruction(), o.address(), outcome);
        };
    }
}

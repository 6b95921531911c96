package trapline.engine.cpu;

import trapline.engine.event.Emitter;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent.CallsMade;
import trapline.engine.event.GuestEvent.ControlRegisterWritten;
import trapline.engine.event.GuestEvent.DebugRegisterWritten;
import trapline.engine.event.GuestEvent.ExtendedStateMoved;
import trapline.engine.event.GuestEvent.Halted;
import trapline.engine.event.GuestEvent.InstructionsRetired;
import trapline.engine.event.GuestEvent.MsrReadBack;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.GuestEvent.NestedBitmapStored;
import trapline.engine.event.GuestEvent.NestedFieldStored;
import trapline.engine.event.GuestEvent.Paused;
import trapline.engine.event.GuestEvent.ReturnsMade;
import trapline.engine.event.GuestEvent.StateInstruction;
import trapline.engine.event.GuestEvent.TimestampCounterRead;
import trapline.engine.event.GuestEvent.TlbInvalidated;
import trapline.engine.event.HardwareEvent.ReturnsPredicted;
import trapline.engine.event.MsrValues;
import trapline.engine.event.Outcome;
import trapline.engine.event.Reg;
import trapline.engine.state.MachineState;
import trapline.engine.state.PcpuState;
import trapline.engine.state.ReturnStack;
import trapline.engine.state.VcpuState;
import trapline.engine.table.Msrs;

/// What instructions do when nothing intercepts them: the same on both vendors.
///
/// Every method returns null, as [Processor#execute] does for an op that ended in the guest.
public final class Execute {

    private static final long CR4_OSXSAVE = 1 << 18;

    private final MachineState machine;
    private final Platform platform;
    private final HardwareMsrs msrs;
    private final World world;

    public Execute(MachineState machine, Platform platform, World world) {
        this.machine = machine;
        this.platform = platform;
        this.msrs = new HardwareMsrs(platform);
        this.world = world;
    }

    public Exit run(GuestOp.Run op, Emitter out) {
        return done(out, new InstructionsRetired(op.rip(), op.count()));
    }

    public Exit wrmsr(GuestOp.Wrmsr op, VcpuState vcpu, Emitter out) {
        return wrmsr(op, op.value(), vcpu, out);
    }

    /// @param checked the value that must not have reserved bits set
    public Exit wrmsr(GuestOp.Wrmsr op, long checked, VcpuState vcpu, Emitter out) {
        boolean accepted =
                msrs.accepts(op.msr(), checked) && !(Msrs.trace(op.msr()) && tracing(op, vcpu));
        Outcome outcome = accepted ? Outcome.DONE : Outcome.GP;
        return done(out, new MsrWritten(op.rip(), op.msr(), op.value(), outcome));
    }

    /// While it traces, only RTIT_CTL can be written, and only to stop.
    private boolean tracing(GuestOp.Wrmsr op, VcpuState vcpu) {
        long control = machine.hardwareMsr(vcpu, Msrs.RTIT_CTL);
        return (control & ProcessorTrace.TRACE_EN) != 0
                && (op.msr() != Msrs.RTIT_CTL
                        || ((op.value() & ProcessorTrace.TRACE_EN) != 0 && op.value() != control));
    }

    public Exit rdmsr(GuestOp.Rdmsr op, VcpuState vcpu, Emitter out) {
        boolean counter = op.msr() == Msrs.TSC;
        return rdmsr(
                op,
                counter ? world.timestamp(vcpu, out) : machine.hardwareMsr(vcpu, op.msr()),
                out);
    }

    /// @param value what the MSR shows the guest
    public Exit rdmsr(GuestOp.Rdmsr op, long value, Emitter out) {
        return done(
                out,
                msrs.readable(op.msr())
                        ? readBack(op, value)
                        : new MsrReadBack(op.rip(), op.msr(), 0, Outcome.GP));
    }

    /// What RDMSR returns: where the model does not cover the MSR, the value that a log recorded.
    public static MsrReadBack readBack(GuestOp.Rdmsr op, long value) {
        if (op.recorded() && op.observed() != value && !HardwareMsrs.modelled(op.msr())) {
            return new MsrReadBack(op.rip(), op.msr(), op.observed(), Outcome.RECORDED);
        }
        return new MsrReadBack(op.rip(), op.msr(), value, Outcome.DONE);
    }

    public Exit hlt(GuestOp.Hlt op, Emitter out) {
        return done(out, new Halted(op.rip(), Outcome.DONE));
    }

    public Exit movToCr(GuestOp.MovToCr op, VcpuState vcpu, Emitter out) {
        boolean accepted = ControlRegisters.accept(op.cr(), op.value(), vcpu, platform::has);
        Outcome outcome = accepted ? Outcome.DONE : Outcome.GP;
        return done(out, new ControlRegisterWritten(op.rip(), op.cr(), op.value(), outcome));
    }

    public Exit movToDr(GuestOp.MovToDr op, Emitter out) {
        boolean accepted = ControlRegisters.acceptDebug(op.dr(), op.value());
        Outcome outcome = accepted ? Outcome.DONE : Outcome.GP;
        return done(out, new DebugRegisterWritten(op.rip(), op.dr(), op.value(), outcome));
    }

    public Exit tlbInvalidate(GuestOp.TlbInvalidate op, Emitter out) {
        return done(
                out,
                new TlbInvalidated(
                        op.rip(), op.instruction(), op.type(), op.operand(), Outcome.DONE));
    }

    public Exit rdtsc(GuestOp.Rdtsc op, VcpuState vcpu, Emitter out) {
        long value = world.timestamp(vcpu, out);
        return done(out, new TimestampCounterRead(op.rip(), value, Outcome.DONE));
    }

    public Exit pause(GuestOp.Pause op, Emitter out) {
        return done(out, new Paused(op.rip(), Outcome.DONE));
    }

    public Exit call(GuestOp.Call op, Emitter out) {
        return done(out, new CallsMade(op.rip(), op.count()));
    }

    public Exit ret(GuestOp.Ret op, VcpuState vcpu, Emitter out) {
        ReturnStack.Found found = machine.pcpuOf(vcpu).returns().find(vcpu, op.count());
        out.emit(
                new ReturnsPredicted(
                        found.predicted(),
                        found.mispredicted(),
                        found.foreignLevel(),
                        found.foreignVcpu(),
                        found.empty()));
        return done(out, new ReturnsMade(op.rip(), op.count()));
    }

    public Exit store(GuestOp.StoreNestedField op, Emitter out) {
        return done(out, new NestedFieldStored(op.rip(), op.field(), op.value()));
    }

    public Exit store(GuestOp.StoreNestedBitmap op, Emitter out) {
        return done(out, new NestedBitmapStored(op.rip(), op.msr(), op.read(), op.write()));
    }

    /// Whether the guest has switched the XSAVE instructions on (CR4.OSXSAVE).
    public static boolean hasXsave(VcpuState vcpu) {
        return (vcpu.register(Reg.CR4) & CR4_OSXSAVE) != 0;
    }

    /// What of a mask the processor moves now: what the hardware's XCR0 and IA32_XSS enable.
    public long enabledComponents(long mask, VcpuState vcpu) {
        PcpuState pcpu = machine.pcpuOf(vcpu);
        return mask & (pcpu.xcr0() | pcpu.msr(Msrs.XSS));
    }

    /// XSAVES and XRSTORS: no MSR bitmap has a say in it (FACTS 4.1).
    public Exit moveState(GuestOp.MoveState op, VcpuState vcpu, Emitter out) {
        long components = enabledComponents(op.mask(), vcpu);
        boolean save = op.instruction() == StateInstruction.XSAVES;
        if (!save && !ExtendedStateAccess.restorable(vcpu, enabledComponents(-1, vcpu))) {
            return done(out, ExtendedStateAccess.faulted(op, Outcome.GP));
        }
        MsrValues values =
                save
                        ? ExtendedStateAccess.read(
                                components, msr -> machine.hardwareMsr(vcpu, msr))
                        : ExtendedStateAccess.restored(components, vcpu);
        return done(
                out,
                new ExtendedStateMoved(
                        op.rip(), op.instruction(), op.mask(), components, values, Outcome.DONE));
    }

    public Exit done(Emitter out, Event event) {
        out.emit(event);
        return null;
    }
}

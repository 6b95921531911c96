package trapline.replayer;

import java.util.stream.Collectors;
import trapline.engine.cpu.GuestOp;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
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
import trapline.engine.event.HardwareEvent.RapFlushed;
import trapline.engine.event.HardwareEvent.ReturnsPredicted;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmEntryFailed;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.EventInjected;
import trapline.engine.event.HypervisorEvent.HostExtendedControlWritten;
import trapline.engine.event.HypervisorEvent.HostMsrFaulted;
import trapline.engine.event.HypervisorEvent.HostMsrRead;
import trapline.engine.event.HypervisorEvent.HostMsrWritten;
import trapline.engine.event.HypervisorEvent.HostRegistersLoaded;
import trapline.engine.event.HypervisorEvent.HostStateLoaded;
import trapline.engine.event.HypervisorEvent.HostStateSaved;
import trapline.engine.event.HypervisorEvent.HypercallPatched;
import trapline.engine.event.HypervisorEvent.MmioPageMapped;
import trapline.engine.event.HypervisorEvent.MsrExitsStored;
import trapline.engine.event.HypervisorEvent.MsrFilterStored;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.HypervisorEvent.NestedBitmapMerged;
import trapline.engine.event.HypervisorEvent.NestedExited;
import trapline.engine.event.HypervisorEvent.PassThroughWithheld;
import trapline.engine.event.HypervisorEvent.RegistersChanged;
import trapline.engine.event.HypervisorEvent.SpecCtrlForceAnswered;
import trapline.engine.event.HypervisorEvent.UserspaceExited;
import trapline.engine.event.HypervisorEvent.UserspaceMsrAsked;
import trapline.engine.event.HypervisorEvent.UserspaceMsrStored;
import trapline.engine.event.HypervisorEvent.VariableChanged;
import trapline.engine.event.HypervisorEvent.VcpuLoaded;
import trapline.engine.event.HypervisorEvent.VcpuPut;
import trapline.engine.event.HypervisorEvent.VmcbFieldWritten;
import trapline.engine.event.HypervisorEvent.VmcsFieldRead;
import trapline.engine.event.HypervisorEvent.VmcsFieldWritten;
import trapline.engine.event.InputEvent.DeviceRead;
import trapline.engine.event.InputEvent.HostPreempted;
import trapline.engine.event.InputEvent.InterruptArrived;
import trapline.engine.event.InputEvent.MsrExitsRequested;
import trapline.engine.event.InputEvent.MsrFilterRequested;
import trapline.engine.event.InputEvent.SpecCtrlForceRequested;
import trapline.engine.event.InputEvent.TimestampRead;
import trapline.engine.event.InputEvent.UserspaceMsrRequested;
import trapline.engine.event.InputEvent.UserspaceReplied;
import trapline.engine.event.MsrExitReason;
import trapline.engine.event.MsrFilter;
import trapline.engine.event.MsrFilterRange;
import trapline.engine.event.ObservedEvent.EventsLost;
import trapline.engine.event.ObservedEvent.MsrLogged;
import trapline.engine.event.ObservedEvent.ThreadSeen;
import trapline.engine.event.ObservedEvent.TraceOpened;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Outcome;
import trapline.engine.event.Reg;
import trapline.engine.event.Stamp;
import trapline.engine.event.Writes;
import trapline.engine.guest.Step;
import trapline.engine.state.Vendor;
import trapline.engine.table.Bits;
import trapline.engine.table.ExitReasons;
import trapline.engine.table.Layout;
import trapline.engine.table.Msrs;

/// One line of words for an event, in the manuals' names.
public final class Describe {

    private final Vendor vendor;

    public Describe(Vendor vendor) {
        this.vendor = vendor;
    }

    public String event(Event event) {
        return event.name() + " " + detail(event);
    }

    /// The event and its place, on one line.
    public String line(Envelope envelope) {
        Stamp stamp = envelope.stamp();
        return "%8d  vcpu%d#%d  tick %d  op %d  %s%-20s %s"
                .formatted(
                        stamp.order(),
                        stamp.vcpu(),
                        stamp.seq(),
                        stamp.tick(),
                        stamp.op(),
                        stamp.cause() == 0 ? "" : "<- " + stamp.cause() + "  ",
                        envelope.event().name(),
                        detail(envelope.event()))
                .stripTrailing();
    }

    /// A trace clock's time, as ftrace prints seconds.
    private static String time(long nanos) {
        return "%d.%09d".formatted(nanos / 1_000_000_000, Math.floorMod(nanos, 1_000_000_000));
    }

    private static String told(TracepointHit hit) {
        return ObservedFields.of(hit).entrySet().stream()
                .map(field -> field.getKey() + " " + field.getValue())
                .collect(Collectors.joining(" "));
    }

    /// The event's fields, without its name.
    public String detail(Event event) {
        return switch (event) {
            case TracepointHit e -> "%s %s %s".formatted(time(e.time()), e.point().text(), told(e));
            case MsrLogged e ->
                    "%s %s %s at %s %s"
                            .formatted(
                                    time(e.time()),
                                    e.write() ? "WRMSR" : "RDMSR",
                                    msr(e.msr(), e.value()),
                                    hex(e.rip()),
                                    e.symbol());
            case EventsLost e ->
                    "%s %s lost"
                            .formatted(
                                    time(e.time()),
                                    e.count() == 0 ? "an unknown number" : e.count());
            case ThreadSeen e ->
                    "%d%s %s"
                            .formatted(
                                    e.thread(),
                                    e.process() == 0 ? "" : " of process " + e.process(),
                                    e.command());
            case TraceOpened e ->
                    "%s, %s, times in %s"
                            .formatted(e.file(), e.format(), Names.camel(e.clock().name()));
            case InstructionsRetired e -> Long.toString(e.count());
            case MsrWritten e -> msr(e.msr(), e.value()) + outcome(e.outcome());
            case MsrReadBack e -> msr(e.msr(), e.value()) + outcome(e.outcome());
            case CpuidExecuted e ->
                    "leaf %s.%d = %s %s %s %s%s"
                            .formatted(
                                    hex32(e.leaf()),
                                    e.subleaf(),
                                    hex32(e.eax()),
                                    hex32(e.ebx()),
                                    hex32(e.ecx()),
                                    hex32(e.edx()),
                                    outcome(e.outcome()));
            case Halted e -> "HLT" + outcome(e.outcome());
            case IoPerformed e ->
                    "%s port %s size %d value %s%s"
                            .formatted(
                                    e.write() ? "OUT" : "IN",
                                    hex(e.port()),
                                    e.size(),
                                    hex(e.value()),
                                    outcome(e.outcome()));
            case MmioPerformed e ->
                    "%s %s size %d value %s%s"
                            .formatted(
                                    e.write() ? "write" : "read",
                                    hex(e.address()),
                                    e.size(),
                                    hex(e.value()),
                                    outcome(e.outcome()));
            case HypercallMade e ->
                    "%s nr %d result %d%s"
                            .formatted(
                                    e.vmmcall() ? "VMMCALL" : "VMCALL",
                                    e.number(),
                                    e.result(),
                                    outcome(e.outcome()));
            case ControlRegisterWritten e ->
                    "CR%d = %s%s".formatted(e.cr(), hex(e.value()), outcome(e.outcome()));
            case DebugRegisterWritten e ->
                    "DR%d = %s%s".formatted(e.dr(), hex(e.value()), outcome(e.outcome()));
            case TlbInvalidated e ->
                    "%s type %d operand %s%s"
                            .formatted(
                                    e.instruction(),
                                    e.type(),
                                    hex(e.operand()),
                                    outcome(e.outcome()));
            case TimestampCounterRead e -> hex(e.value()) + outcome(e.outcome());
            case ExtendedControlWritten e ->
                    "XCR%d = %s%s".formatted(e.xcr(), hex(e.value()), outcome(e.outcome()));
            case Paused e -> "PAUSE" + outcome(e.outcome());
            case ExtendedStateMoved e -> extendedState(e);
            case VmInstructionExecuted e -> vmInstruction(e);
            case NestedFieldStored e ->
                    "vmcb12 %s = %s".formatted(Layout.VMCB.name(e.field()), hex(e.value()));
            case NestedBitmapStored e ->
                    "%s %s"
                            .formatted(
                                    e.msr() == NestedBitmapStored.ALL
                                            ? "every MSR"
                                            : Msrs.name(e.msr()),
                                    intercept(e.read(), e.write()));
            case CallsMade e -> Long.toString(e.count());
            case ReturnsMade e -> Long.toString(e.count());
            case ReturnsPredicted e ->
                    "predicted %d, mispredicted %d, foreign %d of the other level and %d of other vCPUs, empty %d"
                            .formatted(
                                    e.predicted(),
                                    e.mispredicted(),
                                    e.foreignLevel(),
                                    e.foreignVcpu(),
                                    e.empty());
            case RapFlushed e ->
                    "%s, %d entries".formatted(Names.words(e.cause().name()), e.entries());
            case NestedEntered e -> e.instruction() + outcome(e.outcome());
            case InterruptArrived e -> "%s vector %s".formatted(e.target(), hex(e.vector()));
            case HostPreempted e -> e.pcpu() < 0 ? "until it is due" : "to pCPU " + e.pcpu();
            case UserspaceMsrRequested e -> msr(e.msr(), e.value());
            case MsrFilterRequested e -> filter(e.filter());
            case MsrExitsRequested e -> reasons(e.reasons());
            case UserspaceReplied e ->
                    "%s %s%s"
                            .formatted(
                                    e.write() ? "write" : "read",
                                    msr(e.msr(), e.value()),
                                    e.error() ? " error" : "");
            case SpecCtrlForceRequested e ->
                    (e.vm() ? "for the VM, " : "") + forced(e.mask(), e.value());
            case TimestampRead e -> hex(e.value());
            case DeviceRead e ->
                    "%s size %d value %s".formatted(hex(e.address()), e.size(), hex(e.value()));
            case VmExited e -> exited(e);
            case VmEntered e -> "L%d%s".formatted(e.level(), writes(e.written()));
            case VmEntryFailed e ->
                    "L%d check %s reason %s"
                            .formatted(e.level(), e.check(), Names.exit(vendor, e.reason()));
            case VmcsFieldWritten e ->
                    "vmcs%02d %s %s -> %s"
                            .formatted(
                                    e.vmcs(),
                                    Layout.VMCS.name(e.field()),
                                    hex(e.old()),
                                    hex(e.value()));
            case VmcsFieldRead e ->
                    "vmcs%02d %s = %s"
                            .formatted(e.vmcs(), Layout.VMCS.name(e.field()), hex(e.value()));
            case SpecCtrlForceAnswered e ->
                    "%s %s%s"
                            .formatted(
                                    e.vm() ? "VM" : "vCPU",
                                    forced(e.mask(), e.value()),
                                    e.granted() ? "" : " (" + e.error() + ")");
            case VmcbFieldWritten e ->
                    "vmcb%02d %s %s -> %s"
                            .formatted(
                                    e.vmcb(),
                                    Layout.VMCB.name(e.field()),
                                    hex(e.old()),
                                    hex(e.value()));
            case MsrInterceptChanged e ->
                    "bitmap%02d %s %s"
                            .formatted(
                                    e.bitmap(), Msrs.name(e.msr()), intercept(e.read(), e.write()));
            case NestedBitmapMerged e -> e.usable() ? "used" : "not used";
            case HostMsrRead e -> msr(e.msr(), e.value()) + " " + Names.camel(e.cause().name());
            case HostMsrWritten e -> msr(e.msr(), e.value()) + " " + Names.camel(e.cause().name());
            case HostMsrFaulted e ->
                    "%s %s #GP %s"
                            .formatted(
                                    e.write() ? "write" : "read",
                                    msr(e.msr(), e.value()),
                                    Names.camel(e.cause().name()));
            case HostExtendedControlWritten e ->
                    "XCR%d = %s %s"
                            .formatted(e.xcr(), hex(e.value()), Names.camel(e.cause().name()));
            case HostStateSaved e -> "VMSAVE " + e.area() + writes(e.written());
            case HostStateLoaded e -> "VMLOAD " + e.area();
            case HostRegistersLoaded e -> e.instruction() + writes(e.written());
            case RegistersChanged e -> writes(e.written()).strip();
            case VariableChanged e ->
                    "%s %s -> %s".formatted(e.variable(), hex(e.old()), hex(e.value()));
            case EventInjected e -> "%s vector %s".formatted(e.type(), hex(e.vector()));
            case UserspaceExited e -> ExitReasons.userspace(e.reason());
            case UserspaceMsrStored e -> msr(e.msr(), e.value()) + outcome(e.outcome());
            case MsrFilterStored e -> filter(e.filter()) + error(e.error());
            case MsrExitsStored e -> reasons(e.reasons()) + error(e.error());
            case UserspaceMsrAsked e ->
                    "%s %s because %s"
                            .formatted(
                                    e.write() ? "write" : "read",
                                    e.write() ? msr(e.msr(), e.value()) : Msrs.name(e.msr()),
                                    Names.camel(e.reason().name()));
            case PassThroughWithheld e ->
                    "%s %s"
                            .formatted(
                                    Msrs.name(e.msr()),
                                    e.read() ? e.write() ? "rw" : "r" : e.write() ? "w" : "none");
            case VcpuLoaded e -> "pCPU " + e.pcpu();
            case VcpuPut _ -> "";
            case NestedExited e -> Names.exit(vendor, e.reason());
            case MmioPageMapped e -> "frame " + hex(e.frame());
            case HypercallPatched e -> "at " + hex(e.rip());
        };
    }

    private String exited(VmExited e) {
        StringBuilder text =
                new StringBuilder("L%d %s".formatted(e.level(), Names.exit(vendor, e.reason())));
        if (e.qualification() != 0) {
            text.append(" info1 ").append(hex(e.qualification()));
        }
        if (e.info() != 0) {
            text.append(" info2 ").append(hex(e.info()));
        }
        if (e.interruptInfo() != 0) {
            text.append(" intr_info ").append(hex32(e.interruptInfo()));
        }
        return text.append(writes(e.written())).toString();
    }

    private static String extendedState(ExtendedStateMoved e) {
        StringBuilder text = new StringBuilder();
        text.append(e.instruction()).append(' ').append(hex(e.components()));
        text.append(" of ").append(hex(e.mask()));
        for (int i = 0; i < e.values().size(); i++) {
            text.append(i == 0 ? ": " : ", ").append(msr(e.values().msr(i), e.values().value(i)));
        }
        return text.append(outcome(e.outcome())).toString();
    }

    private static String vmInstruction(VmInstructionExecuted e) {
        boolean field =
                e.instruction() == VmInstruction.VMREAD || e.instruction() == VmInstruction.VMWRITE;
        return "%s %s%s%s"
                .formatted(
                        e.instruction(),
                        field ? Layout.VMCS.name((int) e.operand()) : hex(e.operand()),
                        field ? " = " + hex(e.value()) : "",
                        outcome(e.outcome()));
    }

    private String writes(Writes writes) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < writes.size(); i++) {
            int place = writes.place(i);
            text.append(i == 0 ? " [" : " ")
                    .append(place < 0 ? Reg.name(~place) : vendor.layout().name(place))
                    .append('=')
                    .append(hex(writes.value(i)));
        }
        return text.append(writes.size() == 0 ? "" : "]").toString();
    }

    private static String forced(long mask, long value) {
        return "mask %s value %s".formatted(hex(mask), msr(Msrs.SPEC_CTRL, value));
    }

    private static String msr(int msr, long value) {
        String bits = Bits.describe(msr, value);
        return "%s = %s%s".formatted(Msrs.name(msr), hex(value), bits.isEmpty() ? "" : " " + bits);
    }

    private static String outcome(Outcome outcome) {
        return switch (outcome) {
            case DONE -> "";
            case RECORDED -> " (from the log)";
            case GP -> " (#GP)";
            case UD -> " (#UD)";
            case REFLECTED -> " (L1)";
            case FAILED -> " (VMfail)";
            case USERSPACE -> " (userspace)";
        };
    }

    /// The first MSRs of each range, and what becomes of them.
    private static String filter(MsrFilter filter) {
        StringBuilder text = new StringBuilder(filter.deniesByDefault() ? "deny" : "allow");
        for (MsrFilterRange range : filter.ranges()) {
            text.append("; ")
                    .append(EventFields.access(range))
                    .append(' ')
                    .append(EventFields.msrs(range));
        }
        return text.toString();
    }

    private static String reasons(int reasons) {
        StringBuilder text = new StringBuilder();
        for (MsrExitReason reason : MsrExitReason.values()) {
            if ((reasons & reason.bit()) != 0) {
                text.append(text.isEmpty() ? "" : " ").append(Names.camel(reason.name()));
            }
        }
        return text.isEmpty() ? "none" : text.toString();
    }

    private static String error(String error) {
        return error.isEmpty() ? "" : " refused: " + error;
    }

    private static String intercept(boolean read, boolean write) {
        if (read && write) {
            return "intercepted";
        }
        if (!read && !write) {
            return "passed through";
        }
        return read ? "reads intercepted" : "writes intercepted";
    }

    private static String hex(long value) {
        return Names.hex(value);
    }

    private static String hex32(int value) {
        return Names.hex(Integer.toUnsignedLong(value));
    }

    /// The name of a step, as its instruction or input is called.
    static String step(Step step) {
        return switch (step) {
            case Step.Do(GuestOp op) -> op(op);
            case Step.Meanwhile(var input, _) -> input.name();
        };
    }

    private static String op(GuestOp op) {
        return switch (op) {
            case GuestOp.Run _ -> "run";
            case GuestOp.Wrmsr o -> "WRMSR " + msr(o.msr(), o.value());
            case GuestOp.Rdmsr o -> "RDMSR " + Msrs.name(o.msr());
            case GuestOp.Cpuid o -> "CPUID " + hex32(o.leaf());
            case GuestOp.Hlt _ -> "HLT";
            case GuestOp.Io o -> (o.write() ? "OUT " : "IN ") + hex(o.port());
            case GuestOp.Mmio o -> "MMIO " + hex(o.address());
            case GuestOp.Hypercall o -> o.vmmcall() ? "VMMCALL" : "VMCALL";
            case GuestOp.MovToCr o -> "MOV to CR" + o.cr();
            case GuestOp.MovToDr o -> "MOV to DR" + o.dr();
            case GuestOp.TlbInvalidate o -> o.instruction().name();
            case GuestOp.Rdtsc _ -> "RDTSC";
            case GuestOp.Xsetbv _ -> "XSETBV";
            case GuestOp.Pause _ -> "PAUSE";
            case GuestOp.MoveState o -> o.instruction() + " " + hex(o.mask());
            case GuestOp.VmOp o -> o.instruction().name();
            case GuestOp.StoreNestedField _ -> "store to vmcb12";
            case GuestOp.StoreNestedBitmap _ -> "store to L1's MSR bitmap";
            case GuestOp.Call o -> "call " + o.count();
            case GuestOp.Ret o -> "ret " + o.count();
            case GuestOp.EnterNested o -> o.instruction().name();
        };
    }
}

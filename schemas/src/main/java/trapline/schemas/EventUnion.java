package trapline.schemas;

import java.util.ArrayList;
import java.util.List;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.GuestEvent.CallsMade;
import trapline.engine.event.GuestEvent.ControlRegisterWritten;
import trapline.engine.event.GuestEvent.CpuidExecuted;
import trapline.engine.event.GuestEvent.DebugRegisterWritten;
import trapline.engine.event.GuestEvent.EntryInstruction;
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
import trapline.engine.event.GuestEvent.StateInstruction;
import trapline.engine.event.GuestEvent.TimestampCounterRead;
import trapline.engine.event.GuestEvent.TlbInstruction;
import trapline.engine.event.GuestEvent.TlbInvalidated;
import trapline.engine.event.GuestEvent.VmInstruction;
import trapline.engine.event.GuestEvent.VmInstructionExecuted;
import trapline.engine.event.HardwareEvent;
import trapline.engine.event.HardwareEvent.RapCause;
import trapline.engine.event.HardwareEvent.RapFlushed;
import trapline.engine.event.HardwareEvent.ReturnsPredicted;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmEntryFailed;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent;
import trapline.engine.event.HypervisorEvent.EventInjected;
import trapline.engine.event.HypervisorEvent.EventType;
import trapline.engine.event.HypervisorEvent.HostCause;
import trapline.engine.event.HypervisorEvent.HostExtendedControlWritten;
import trapline.engine.event.HypervisorEvent.HostInstruction;
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
import trapline.engine.event.HypervisorEvent.SaveArea;
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
import trapline.engine.event.InputEvent;
import trapline.engine.event.InputEvent.DeviceRead;
import trapline.engine.event.InputEvent.HostPreempted;
import trapline.engine.event.InputEvent.InterruptArrived;
import trapline.engine.event.InputEvent.MsrExitsRequested;
import trapline.engine.event.InputEvent.MsrFilterRequested;
import trapline.engine.event.InputEvent.SpecCtrlForceRequested;
import trapline.engine.event.InputEvent.Target;
import trapline.engine.event.InputEvent.TimestampRead;
import trapline.engine.event.InputEvent.UserspaceMsrRequested;
import trapline.engine.event.InputEvent.UserspaceReplied;
import trapline.engine.event.Kvm;
import trapline.engine.event.MsrExitReason;
import trapline.engine.event.MsrFilter;
import trapline.engine.event.MsrFilterRange;
import trapline.engine.event.MsrValues;
import trapline.engine.event.ObservedEvent;
import trapline.engine.event.ObservedEvent.EventsLost;
import trapline.engine.event.ObservedEvent.MsrLogged;
import trapline.engine.event.ObservedEvent.ThreadSeen;
import trapline.engine.event.ObservedEvent.TraceClock;
import trapline.engine.event.ObservedEvent.TraceOpened;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Outcome;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;
import trapline.engine.event.Writes;

/// The union of `Envelope.event`: each event's branch and its fields, in the schema's order.
///
/// By hand rather than generated, so that a log becomes events without a second set of objects; a
/// test holds it against the schemas.
final class EventUnion {

    private static final Outcome[] OUTCOMES = Outcome.values();
    private static final TlbInstruction[] TLB = TlbInstruction.values();
    private static final VmInstruction[] VM_INSTRUCTIONS = VmInstruction.values();
    private static final EntryInstruction[] ENTRIES = EntryInstruction.values();
    private static final Target[] TARGETS = Target.values();
    private static final HostCause[] HOST_CAUSES = HostCause.values();
    private static final SaveArea[] AREAS = SaveArea.values();
    private static final EventType[] EVENT_TYPES = EventType.values();
    private static final RapCause[] RAP_CAUSES = RapCause.values();
    private static final StateInstruction[] STATE_INSTRUCTIONS = StateInstruction.values();
    private static final HostInstruction[] HOST_INSTRUCTIONS = HostInstruction.values();
    private static final Kvm[] VARIABLES = Kvm.values();
    private static final MsrExitReason[] MSR_EXIT_REASONS = MsrExitReason.values();

    private static final Tracepoint[] TRACEPOINTS = Tracepoint.values();
    private static final TraceClock[] TRACE_CLOCKS = TraceClock.values();

    private EventUnion() {}

    static void write(Event event, AvroWriter out) {
        switch (event) {
            case GuestEvent e -> writeGuest(e, out);
            case InputEvent e -> writeInput(e, out);
            case HardwareEvent e -> writeHardware(e, out);
            case HypervisorEvent e -> writeHypervisor(e, out);
            case ObservedEvent e -> writeObserved(e, out);
        }
    }

    private static void writeGuest(GuestEvent event, AvroWriter out) {
        switch (event) {
            case InstructionsRetired e -> {
                out.writeLong(0);
                out.writeLong(e.rip());
                out.writeLong(e.count());
            }
            case MsrWritten e -> {
                out.writeLong(1);
                out.writeLong(e.rip());
                out.writeUnsigned(e.msr());
                out.writeLong(e.value());
                out.writeEnum(e.outcome());
            }
            case MsrReadBack e -> {
                out.writeLong(2);
                out.writeLong(e.rip());
                out.writeUnsigned(e.msr());
                out.writeLong(e.value());
                out.writeEnum(e.outcome());
            }
            case CpuidExecuted e -> {
                out.writeLong(3);
                out.writeLong(e.rip());
                out.writeUnsigned(e.leaf());
                out.writeUnsigned(e.subleaf());
                out.writeUnsigned(e.eax());
                out.writeUnsigned(e.ebx());
                out.writeUnsigned(e.ecx());
                out.writeUnsigned(e.edx());
                out.writeEnum(e.outcome());
            }
            case Halted e -> {
                out.writeLong(4);
                out.writeLong(e.rip());
                out.writeEnum(e.outcome());
            }
            case IoPerformed e -> {
                out.writeLong(5);
                out.writeLong(e.rip());
                out.writeInt(e.port());
                out.writeInt(e.size());
                out.writeBoolean(e.write());
                out.writeLong(e.value());
                out.writeEnum(e.outcome());
            }
            case MmioPerformed e -> {
                out.writeLong(6);
                out.writeLong(e.rip());
                out.writeLong(e.address());
                out.writeInt(e.size());
                out.writeBoolean(e.write());
                out.writeLong(e.value());
                out.writeEnum(e.outcome());
            }
            case HypercallMade e -> {
                out.writeLong(7);
                out.writeLong(e.rip());
                out.writeBoolean(e.vmmcall());
                out.writeLong(e.number());
                out.writeLong(e.result());
                out.writeEnum(e.outcome());
            }
            case ControlRegisterWritten e -> {
                out.writeLong(8);
                out.writeLong(e.rip());
                out.writeInt(e.cr());
                out.writeLong(e.value());
                out.writeEnum(e.outcome());
            }
            case DebugRegisterWritten e -> {
                out.writeLong(9);
                out.writeLong(e.rip());
                out.writeInt(e.dr());
                out.writeLong(e.value());
                out.writeEnum(e.outcome());
            }
            case TlbInvalidated e -> {
                out.writeLong(10);
                out.writeLong(e.rip());
                out.writeEnum(e.instruction());
                out.writeInt(e.type());
                out.writeLong(e.operand());
                out.writeEnum(e.outcome());
            }
            case TimestampCounterRead e -> {
                out.writeLong(11);
                out.writeLong(e.rip());
                out.writeLong(e.value());
                out.writeEnum(e.outcome());
            }
            case ExtendedControlWritten e -> {
                out.writeLong(12);
                out.writeLong(e.rip());
                out.writeInt(e.xcr());
                out.writeLong(e.value());
                out.writeEnum(e.outcome());
            }
            case Paused e -> {
                out.writeLong(13);
                out.writeLong(e.rip());
                out.writeEnum(e.outcome());
            }
            case ExtendedStateMoved e -> {
                out.writeLong(59);
                out.writeLong(e.rip());
                out.writeEnum(e.instruction());
                out.writeLong(e.mask());
                out.writeLong(e.components());
                write(e.values(), out);
                out.writeEnum(e.outcome());
            }
            case VmInstructionExecuted e -> {
                out.writeLong(14);
                out.writeLong(e.rip());
                out.writeEnum(e.instruction());
                out.writeLong(e.operand());
                out.writeLong(e.value());
                out.writeEnum(e.outcome());
            }
            case NestedFieldStored e -> {
                out.writeLong(15);
                out.writeLong(e.rip());
                out.writeInt(e.field());
                out.writeLong(e.value());
            }
            case NestedBitmapStored e -> {
                out.writeLong(16);
                out.writeLong(e.rip());
                out.writeUnsigned(e.msr());
                out.writeBoolean(e.read());
                out.writeBoolean(e.write());
            }
            case CallsMade e -> {
                out.writeLong(55);
                out.writeLong(e.rip());
                out.writeLong(e.count());
            }
            case ReturnsMade e -> {
                out.writeLong(56);
                out.writeLong(e.rip());
                out.writeLong(e.count());
            }
            case NestedEntered e -> {
                out.writeLong(17);
                out.writeLong(e.rip());
                out.writeEnum(e.instruction());
                out.writeLong(e.address());
                out.writeEnum(e.outcome());
            }
        }
    }

    private static void writeInput(InputEvent event, AvroWriter out) {
        switch (event) {
            case InterruptArrived e -> {
                out.writeLong(18);
                out.writeEnum(e.target());
                out.writeInt(e.vector());
            }
            case HostPreempted e -> {
                out.writeLong(19);
                out.writeInt(e.pcpu());
            }
            case UserspaceMsrRequested e -> {
                out.writeLong(20);
                out.writeUnsigned(e.msr());
                out.writeLong(e.value());
            }
            case TimestampRead e -> {
                out.writeLong(21);
                out.writeLong(e.value());
            }
            case DeviceRead e -> {
                out.writeLong(22);
                out.writeLong(e.address());
                out.writeInt(e.size());
                out.writeLong(e.value());
            }
            case MsrFilterRequested e -> {
                out.writeLong(45);
                write(e.filter(), out);
            }
            case MsrExitsRequested e -> {
                out.writeLong(46);
                out.writeInt(e.reasons());
            }
            case UserspaceReplied e -> {
                out.writeLong(47);
                out.writeUnsigned(e.msr());
                out.writeBoolean(e.write());
                out.writeLong(e.value());
                out.writeBoolean(e.error());
            }
            case SpecCtrlForceRequested e -> {
                out.writeLong(52);
                out.writeBoolean(e.vm());
                out.writeLong(e.mask());
                out.writeLong(e.value());
            }
        }
    }

    private static void writeHardware(HardwareEvent event, AvroWriter out) {
        switch (event) {
            case VmExited e -> {
                out.writeLong(23);
                out.writeInt(e.level());
                out.writeLong(e.reason());
                out.writeLong(e.qualification());
                out.writeLong(e.info());
                out.writeUnsigned(e.interruptInfo());
                out.writeUnsigned(e.errorCode());
                write(e.written(), out);
            }
            case VmEntered e -> {
                out.writeLong(24);
                out.writeInt(e.level());
                write(e.written(), out);
            }
            case ReturnsPredicted e -> {
                out.writeLong(57);
                out.writeLong(e.predicted());
                out.writeLong(e.mispredicted());
                out.writeLong(e.foreignLevel());
                out.writeLong(e.foreignVcpu());
                out.writeLong(e.empty());
            }
            case RapFlushed e -> {
                out.writeLong(58);
                out.writeEnum(e.cause());
                out.writeInt(e.entries());
            }
            case VmEntryFailed e -> {
                out.writeLong(25);
                out.writeInt(e.level());
                out.writeString(e.check());
                out.writeLong(e.reason());
                write(e.written(), out);
            }
        }
    }

    private static void writeObserved(ObservedEvent event, AvroWriter out) {
        switch (event) {
            case TracepointHit e -> {
                out.writeLong(64);
                out.writeLong(e.time());
                out.writeInt(e.thread());
                out.writeEnum(e.point());
                write(e.fields(), out);
            }
            case MsrLogged e -> {
                out.writeLong(65);
                out.writeLong(e.time());
                out.writeBoolean(e.write());
                out.writeUnsigned(e.msr());
                out.writeLong(e.value());
                out.writeLong(e.rip());
                out.writeString(e.symbol());
            }
            case EventsLost e -> {
                out.writeLong(66);
                out.writeLong(e.time());
                out.writeLong(e.count());
            }
            case ThreadSeen e -> {
                out.writeLong(63);
                out.writeInt(e.thread());
                out.writeInt(e.process());
                out.writeString(e.command());
            }
            case TraceOpened e -> {
                out.writeLong(62);
                out.writeString(e.file());
                out.writeString(e.format());
                out.writeEnum(e.clock());
            }
        }
    }

    private static void write(TraceFields fields, AvroWriter out) {
        out.writeInt(fields.present());
        if (fields.size() > 0) {
            out.writeLong(fields.size());
            for (int i = 0; i < fields.size(); i++) {
                out.writeLong(fields.valueAt(i));
            }
        }
        out.writeLong(0);
        out.writeString(fields.text());
    }

    private static void writeHypervisor(HypervisorEvent event, AvroWriter out) {
        switch (event) {
            case VmcsFieldWritten e -> {
                out.writeLong(26);
                out.writeInt(e.vmcs());
                out.writeInt(e.field());
                out.writeLong(e.old());
                out.writeLong(e.value());
            }
            case VmcbFieldWritten e -> {
                out.writeLong(27);
                out.writeInt(e.vmcb());
                out.writeInt(e.field());
                out.writeLong(e.old());
                out.writeLong(e.value());
            }
            case MsrInterceptChanged e -> {
                out.writeLong(28);
                out.writeInt(e.bitmap());
                out.writeUnsigned(e.msr());
                out.writeBoolean(e.read());
                out.writeBoolean(e.write());
            }
            case NestedBitmapMerged e -> {
                out.writeLong(29);
                out.writeBoolean(e.usable());
            }
            case HostMsrRead e -> {
                out.writeLong(30);
                out.writeUnsigned(e.msr());
                out.writeLong(e.value());
                out.writeEnum(e.cause());
            }
            case HostMsrWritten e -> {
                out.writeLong(31);
                out.writeUnsigned(e.msr());
                out.writeLong(e.value());
                out.writeEnum(e.cause());
            }
            case HostMsrFaulted e -> {
                out.writeLong(32);
                out.writeUnsigned(e.msr());
                out.writeBoolean(e.write());
                out.writeLong(e.value());
                out.writeEnum(e.cause());
            }
            case HostExtendedControlWritten e -> {
                out.writeLong(60);
                out.writeInt(e.xcr());
                out.writeLong(e.value());
                out.writeEnum(e.cause());
            }
            case HostStateSaved e -> {
                out.writeLong(33);
                out.writeEnum(e.area());
                write(e.written(), out);
            }
            case HostStateLoaded e -> {
                out.writeLong(34);
                out.writeEnum(e.area());
            }
            case RegistersChanged e -> {
                out.writeLong(35);
                write(e.written(), out);
            }
            case VariableChanged e -> {
                out.writeLong(36);
                out.writeEnum(e.variable());
                out.writeLong(e.old());
                out.writeLong(e.value());
            }
            case EventInjected e -> {
                out.writeLong(37);
                out.writeInt(e.vector());
                out.writeEnum(e.type());
                out.writeUnsigned(e.errorCode());
            }
            case UserspaceExited e -> {
                out.writeLong(38);
                out.writeInt(e.reason());
            }
            case UserspaceMsrStored e -> {
                out.writeLong(39);
                out.writeUnsigned(e.msr());
                out.writeLong(e.value());
                out.writeEnum(e.outcome());
            }
            case VcpuLoaded e -> {
                out.writeLong(40);
                out.writeInt(e.pcpu());
            }
            case VcpuPut _ -> {
                out.writeLong(41);
            }
            case NestedExited e -> {
                out.writeLong(42);
                out.writeLong(e.reason());
                out.writeLong(e.qualification());
            }
            case MmioPageMapped e -> {
                out.writeLong(43);
                out.writeLong(e.frame());
            }
            case HypercallPatched e -> {
                out.writeLong(44);
                out.writeLong(e.rip());
            }
            case MsrFilterStored e -> {
                out.writeLong(48);
                write(e.filter(), out);
                out.writeString(e.error());
            }
            case MsrExitsStored e -> {
                out.writeLong(49);
                out.writeInt(e.reasons());
                out.writeString(e.error());
            }
            case UserspaceMsrAsked e -> {
                out.writeLong(50);
                out.writeUnsigned(e.msr());
                out.writeBoolean(e.write());
                out.writeLong(e.value());
                out.writeEnum(e.reason());
            }
            case PassThroughWithheld e -> {
                out.writeLong(51);
                out.writeUnsigned(e.msr());
                out.writeBoolean(e.read());
                out.writeBoolean(e.write());
            }
            case VmcsFieldRead e -> {
                out.writeLong(53);
                out.writeInt(e.vmcs());
                out.writeInt(e.field());
                out.writeLong(e.value());
            }
            case SpecCtrlForceAnswered e -> {
                out.writeLong(54);
                out.writeBoolean(e.vm());
                out.writeLong(e.mask());
                out.writeLong(e.value());
                out.writeString(e.error());
            }
            case HostRegistersLoaded e -> {
                out.writeLong(61);
                out.writeEnum(e.instruction());
                write(e.written(), out);
            }
        }
    }

    private static void write(Writes writes, AvroWriter out) {
        int size = writes.size();
        if (size > 0) {
            out.writeLong(size);
            for (int i = 0; i < size; i++) {
                out.writeInt(writes.place(i));
                out.writeLong(writes.value(i));
            }
        }
        out.writeLong(0);
    }

    private static void write(MsrFilter filter, AvroWriter out) {
        out.writeBoolean(filter.deniesByDefault());
        if (!filter.ranges().isEmpty()) {
            out.writeLong(filter.ranges().size());
            for (MsrFilterRange range : filter.ranges()) {
                out.writeBoolean(range.read());
                out.writeBoolean(range.write());
                out.writeUnsigned(range.base());
                out.writeInt(range.count());
                out.writeLongs(range.bitmap());
            }
        }
        out.writeLong(0);
    }

    private static void write(MsrValues values, AvroWriter out) {
        int size = values.size();
        if (size > 0) {
            out.writeLong(size);
            for (int i = 0; i < size; i++) {
                out.writeUnsigned(values.msr(i));
                out.writeLong(values.value(i));
            }
        }
        out.writeLong(0);
    }

    static Event read(AvroReader in) {
        int branch = in.readInt();
        return switch (branch) {
            case 0 -> new InstructionsRetired(in.readLong(), in.readLong());
            case 1 ->
                    new MsrWritten(
                            in.readLong(), in.readUnsigned(), in.readLong(), in.readEnum(OUTCOMES));
            case 2 ->
                    new MsrReadBack(
                            in.readLong(), in.readUnsigned(), in.readLong(), in.readEnum(OUTCOMES));
            case 3 ->
                    new CpuidExecuted(
                            in.readLong(),
                            in.readUnsigned(),
                            in.readUnsigned(),
                            in.readUnsigned(),
                            in.readUnsigned(),
                            in.readUnsigned(),
                            in.readUnsigned(),
                            in.readEnum(OUTCOMES));
            case 4 -> new Halted(in.readLong(), in.readEnum(OUTCOMES));
            case 5 ->
                    new IoPerformed(
                            in.readLong(),
                            in.readInt(),
                            in.readInt(),
                            in.readBoolean(),
                            in.readLong(),
                            in.readEnum(OUTCOMES));
            case 6 ->
                    new MmioPerformed(
                            in.readLong(),
                            in.readLong(),
                            in.readInt(),
                            in.readBoolean(),
                            in.readLong(),
                            in.readEnum(OUTCOMES));
            case 7 ->
                    new HypercallMade(
                            in.readLong(),
                            in.readBoolean(),
                            in.readLong(),
                            in.readLong(),
                            in.readEnum(OUTCOMES));
            case 8 ->
                    new ControlRegisterWritten(
                            in.readLong(), in.readInt(), in.readLong(), in.readEnum(OUTCOMES));
            case 9 ->
                    new DebugRegisterWritten(
                            in.readLong(), in.readInt(), in.readLong(), in.readEnum(OUTCOMES));
            case 10 ->
                    new TlbInvalidated(
                            in.readLong(),
                            in.readEnum(TLB),
                            in.readInt(),
                            in.readLong(),
                            in.readEnum(OUTCOMES));
            case 11 ->
                    new TimestampCounterRead(in.readLong(), in.readLong(), in.readEnum(OUTCOMES));
            case 12 ->
                    new ExtendedControlWritten(
                            in.readLong(), in.readInt(), in.readLong(), in.readEnum(OUTCOMES));
            case 13 -> new Paused(in.readLong(), in.readEnum(OUTCOMES));
            case 14 ->
                    new VmInstructionExecuted(
                            in.readLong(),
                            in.readEnum(VM_INSTRUCTIONS),
                            in.readLong(),
                            in.readLong(),
                            in.readEnum(OUTCOMES));
            case 15 -> new NestedFieldStored(in.readLong(), in.readInt(), in.readLong());
            case 16 ->
                    new NestedBitmapStored(
                            in.readLong(), in.readUnsigned(), in.readBoolean(), in.readBoolean());
            case 17 ->
                    new NestedEntered(
                            in.readLong(),
                            in.readEnum(ENTRIES),
                            in.readLong(),
                            in.readEnum(OUTCOMES));
            case 18 -> new InterruptArrived(in.readEnum(TARGETS), in.readInt());
            case 19 -> new HostPreempted(in.readInt());
            case 20 -> new UserspaceMsrRequested(in.readUnsigned(), in.readLong());
            case 21 -> new TimestampRead(in.readLong());
            case 22 -> new DeviceRead(in.readLong(), in.readInt(), in.readLong());
            case 23 ->
                    new VmExited(
                            in.readInt(),
                            in.readLong(),
                            in.readLong(),
                            in.readLong(),
                            in.readUnsigned(),
                            in.readUnsigned(),
                            readWrites(in));
            case 24 -> new VmEntered(in.readInt(), readWrites(in));
            case 25 ->
                    new VmEntryFailed(in.readInt(), in.readString(), in.readLong(), readWrites(in));
            case 26 ->
                    new VmcsFieldWritten(in.readInt(), in.readInt(), in.readLong(), in.readLong());
            case 27 ->
                    new VmcbFieldWritten(in.readInt(), in.readInt(), in.readLong(), in.readLong());
            case 28 ->
                    new MsrInterceptChanged(
                            in.readInt(), in.readUnsigned(), in.readBoolean(), in.readBoolean());
            case 29 -> new NestedBitmapMerged(in.readBoolean());
            case 30 -> new HostMsrRead(in.readUnsigned(), in.readLong(), in.readEnum(HOST_CAUSES));
            case 31 ->
                    new HostMsrWritten(in.readUnsigned(), in.readLong(), in.readEnum(HOST_CAUSES));
            case 32 ->
                    new HostMsrFaulted(
                            in.readUnsigned(),
                            in.readBoolean(),
                            in.readLong(),
                            in.readEnum(HOST_CAUSES));
            case 33 -> new HostStateSaved(in.readEnum(AREAS), readWrites(in));
            case 34 -> new HostStateLoaded(in.readEnum(AREAS));
            case 35 -> new RegistersChanged(readWrites(in));
            case 36 -> new VariableChanged(in.readEnum(VARIABLES), in.readLong(), in.readLong());
            case 37 -> new EventInjected(in.readInt(), in.readEnum(EVENT_TYPES), in.readUnsigned());
            case 38 -> new UserspaceExited(in.readInt());
            case 39 ->
                    new UserspaceMsrStored(in.readUnsigned(), in.readLong(), in.readEnum(OUTCOMES));
            case 40 -> new VcpuLoaded(in.readInt());
            case 41 -> new VcpuPut();
            case 42 -> new NestedExited(in.readLong(), in.readLong());
            case 43 -> new MmioPageMapped(in.readLong());
            case 44 -> new HypercallPatched(in.readLong());
            case 45 -> new MsrFilterRequested(readFilter(in));
            case 46 -> new MsrExitsRequested(in.readInt());
            case 47 ->
                    new UserspaceReplied(
                            in.readUnsigned(), in.readBoolean(), in.readLong(), in.readBoolean());
            case 48 -> new MsrFilterStored(readFilter(in), in.readString());
            case 49 -> new MsrExitsStored(in.readInt(), in.readString());
            case 50 ->
                    new UserspaceMsrAsked(
                            in.readUnsigned(),
                            in.readBoolean(),
                            in.readLong(),
                            in.readEnum(MSR_EXIT_REASONS));
            case 51 ->
                    new PassThroughWithheld(in.readUnsigned(), in.readBoolean(), in.readBoolean());
            case 52 -> new SpecCtrlForceRequested(in.readBoolean(), in.readLong(), in.readLong());
            case 53 -> new VmcsFieldRead(in.readInt(), in.readInt(), in.readLong());
            case 54 ->
                    new SpecCtrlForceAnswered(
                            in.readBoolean(), in.readLong(), in.readLong(), in.readString());
            case 55 -> new CallsMade(in.readLong(), in.readLong());
            case 56 -> new ReturnsMade(in.readLong(), in.readLong());
            case 57 ->
                    new ReturnsPredicted(
                            in.readLong(),
                            in.readLong(),
                            in.readLong(),
                            in.readLong(),
                            in.readLong());
            case 58 -> new RapFlushed(in.readEnum(RAP_CAUSES), in.readInt());
            case 59 ->
                    new ExtendedStateMoved(
                            in.readLong(),
                            in.readEnum(STATE_INSTRUCTIONS),
                            in.readLong(),
                            in.readLong(),
                            readMsrValues(in),
                            in.readEnum(OUTCOMES));
            case 60 ->
                    new HostExtendedControlWritten(
                            in.readInt(), in.readLong(), in.readEnum(HOST_CAUSES));
            case 61 -> new HostRegistersLoaded(in.readEnum(HOST_INSTRUCTIONS), readWrites(in));
            case 62 -> new TraceOpened(in.readString(), in.readString(), in.readEnum(TRACE_CLOCKS));
            case 63 -> new ThreadSeen(in.readInt(), in.readInt(), in.readString());
            case 64 ->
                    new TracepointHit(
                            in.readLong(),
                            in.readInt(),
                            in.readEnum(TRACEPOINTS),
                            readTraceFields(in));
            case 65 ->
                    new MsrLogged(
                            in.readLong(),
                            in.readBoolean(),
                            in.readUnsigned(),
                            in.readLong(),
                            in.readLong(),
                            in.readString());
            case 66 -> new EventsLost(in.readLong(), in.readLong());
            default -> throw in.damaged("an event's number, got " + branch);
        };
    }

    private static TraceFields readTraceFields(AvroReader in) {
        int present = in.readInt();
        long[] values = in.readLongs();
        if (Integer.bitCount(present) != values.length) {
            throw in.damaged("a value for each field that is present");
        }
        return TraceFields.of(present, values, in.readString());
    }

    private static MsrFilter readFilter(AvroReader in) {
        boolean deniesByDefault = in.readBoolean();
        List<MsrFilterRange> ranges = new ArrayList<>();
        for (int count = in.readBlockCount(); count > 0; count = in.readBlockCount()) {
            for (int i = 0; i < count; i++) {
                ranges.add(
                        new MsrFilterRange(
                                in.readBoolean(),
                                in.readBoolean(),
                                in.readUnsigned(),
                                in.readInt(),
                                in.readLongs()));
            }
        }
        return new MsrFilter(deniesByDefault, ranges);
    }

    private static Writes readWrites(AvroReader in) {
        int count = in.readBlockCount();
        if (count == 0) {
            return Writes.NONE;
        }
        int[] places = new int[count];
        long[] values = new long[count];
        for (int i = 0; i < count; i++) {
            places[i] = in.readInt();
            values[i] = in.readLong();
        }
        if (in.readBlockCount() != 0) {
            throw in.damaged("one block of writes");
        }
        return Writes.of(places, values);
    }

    private static MsrValues readMsrValues(AvroReader in) {
        int count = in.readBlockCount();
        if (count == 0) {
            return MsrValues.NONE;
        }
        int[] msrs = new int[count];
        long[] values = new long[count];
        for (int i = 0; i < count; i++) {
            msrs[i] = in.readUnsigned();
            values[i] = in.readLong();
        }
        if (in.readBlockCount() != 0) {
            throw in.damaged("one block of MSRs");
        }
        return MsrValues.of(msrs, values);
    }
}

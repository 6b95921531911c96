package trapline.replayer.export;

import java.util.List;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.GuestEvent.ControlRegisterWritten;
import trapline.engine.event.GuestEvent.CpuidExecuted;
import trapline.engine.event.GuestEvent.HypercallMade;
import trapline.engine.event.GuestEvent.IoPerformed;
import trapline.engine.event.GuestEvent.MmioPerformed;
import trapline.engine.event.GuestEvent.MsrReadBack;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.EventInjected;
import trapline.engine.event.HypervisorEvent.EventType;
import trapline.engine.event.HypervisorEvent.UserspaceExited;
import trapline.engine.event.Outcome;
import trapline.engine.event.Reg;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;
import trapline.engine.state.MachineState;
import trapline.engine.state.VcpuState;
import trapline.engine.state.Vendor;
import trapline.engine.trace.TraceTree;

/// Which of KVM's tracepoints a model's event would have hit, and what they would have told.
///
/// What the guest did without an exit hits none. CPUID entries are taken to have been found; what the model does
/// not know, like pending requests, is absent.
final class ModelTracepoints {

    /// Vectors that push an error code.
    private static final long WITH_ERROR_CODE = 1 << 8 | 0x1f << 10 | 1 << 17 | 1 << 21;

    record Hit(Tracepoint point, TraceFields fields) {}

    private final Vendor vendor;
    private final MachineState machine;

    /// @param machine which each event is applied to before it is asked about
    ModelTracepoints(Vendor vendor, MachineState machine) {
        this.vendor = vendor;
        this.machine = machine;
    }

    /// The tree that a policy builds on, where its name tells.
    static TraceTree tree(String policy) {
        return TraceTree.named(policy.split(",")[0]).orElse(TraceTree.V6_1);
    }

    List<Hit> of(Envelope envelope) {
        VcpuState vcpu = machine.vcpu(envelope.stamp().vcpu());
        return switch (envelope.event()) {
            case VmExited e -> exit(e, vcpu);
            case VmEntered _ ->
                    List.of(
                            hit(
                                    Tracepoint.KVM_ENTRY,
                                    "vcpu",
                                    vcpu.id(),
                                    "rip",
                                    vcpu.register(Reg.RIP),
                                    "immediateExit",
                                    0L));
            case UserspaceExited e ->
                    List.of(hit(Tracepoint.KVM_USERSPACE_EXIT, "reason", e.reason(), "errno", 0L));
            case EventInjected e -> injected(e);
            case GuestEvent e when envelope.stamp().cause() != 0 -> handled(e, vcpu);
            default -> List.of();
        };
    }

    private List<Hit> exit(VmExited e, VcpuState vcpu) {
        Object[] told = {
            "vcpu", vcpu.id(),
            "isa", vendor == Vendor.VMX ? 1L : 2L,
            "reason", e.reason(),
            "rip", vcpu.register(Reg.RIP),
            "info1", e.qualification(),
            "info2", e.info(),
            "intrInfo", Integer.toUnsignedLong(e.interruptInfo()),
            "errorCode", Integer.toUnsignedLong(e.errorCode())
        };
        Hit exit = hit(Tracepoint.KVM_EXIT, told);
        return e.level() == 1
                ? List.of(exit)
                : List.of(exit, hit(Tracepoint.KVM_NESTED_VMEXIT, told));
    }

    private static List<Hit> injected(EventInjected e) {
        if (e.type() == EventType.INTERRUPT) {
            return List.of(
                    hit(
                            Tracepoint.KVM_INJ_VIRQ,
                            "vector",
                            e.vector(),
                            "soft",
                            0L,
                            "reinjected",
                            0L));
        }
        if (e.type() != EventType.EXCEPTION) {
            return List.of();
        }
        boolean hasError = (WITH_ERROR_CODE >>> e.vector() & 1) != 0;
        return List.of(
                hit(
                        Tracepoint.KVM_INJ_EXCEPTION,
                        "exception",
                        e.vector(),
                        "hasError",
                        hasError ? 1L : 0L,
                        "errorCode",
                        hasError ? Integer.toUnsignedLong(e.errorCode()) : 0L,
                        "reinjected",
                        0L));
    }

    /// What KVM emulated; what it left to L1 or to userspace is told by other tracepoints.
    private static List<Hit> handled(GuestEvent event, VcpuState vcpu) {
        if (event.outcome() == Outcome.REFLECTED || event.outcome() == Outcome.USERSPACE) {
            return List.of();
        }
        return switch (event) {
            case MsrWritten e -> msr(true, e.msr(), e.value(), e.outcome());
            case MsrReadBack e -> msr(false, e.msr(), e.value(), e.outcome());
            case CpuidExecuted e ->
                    List.of(
                            hit(
                                    Tracepoint.KVM_CPUID,
                                    "function",
                                    e.leaf(),
                                    "rax",
                                    e.eax(),
                                    "rbx",
                                    e.ebx(),
                                    "rcx",
                                    e.ecx(),
                                    "rdx",
                                    e.edx(),
                                    "found",
                                    1L,
                                    "index",
                                    e.subleaf(),
                                    "usedMaxBasic",
                                    0L));
            case IoPerformed e ->
                    List.of(
                            hit(
                                    Tracepoint.KVM_PIO,
                                    "write",
                                    e.write() ? 1L : 0L,
                                    "port",
                                    e.port(),
                                    "size",
                                    e.size(),
                                    "count",
                                    1L,
                                    "value",
                                    e.value()));
            case MmioPerformed e ->
                    List.of(
                            hit(
                                    Tracepoint.KVM_MMIO,
                                    "type",
                                    e.write() ? 2L : 1L,
                                    "len",
                                    e.size(),
                                    "gpa",
                                    e.address(),
                                    "value",
                                    e.value()));
            case HypercallMade e ->
                    List.of(
                            hit(
                                    Tracepoint.KVM_HYPERCALL,
                                    "nr",
                                    e.number(),
                                    "a0",
                                    vcpu.register(Reg.RBX),
                                    "a1",
                                    vcpu.register(Reg.RCX),
                                    "a2",
                                    vcpu.register(Reg.RDX),
                                    "a3",
                                    vcpu.register(Reg.RSI)));
            case ControlRegisterWritten e ->
                    List.of(hit(Tracepoint.KVM_CR, "write", 1L, "cr", e.cr(), "value", e.value()));
            default -> List.of();
        };
    }

    private static List<Hit> msr(boolean write, int msr, long value, Outcome outcome) {
        return List.of(
                hit(
                        Tracepoint.KVM_MSR,
                        "write",
                        write ? 1L : 0L,
                        "msr",
                        msr,
                        "value",
                        value,
                        "fault",
                        outcome == Outcome.GP ? 1L : 0L));
    }

    /// @param told names of fields, each before its value; an int is unsigned
    private static Hit hit(Tracepoint point, Object... told) {
        int present = 0;
        long[] all = new long[Integer.SIZE];
        for (int i = 0; i < told.length; i += 2) {
            int field = point.field((String) told[i]);
            present |= 1 << field;
            all[field] =
                    told[i + 1] instanceof Integer number
                            ? Integer.toUnsignedLong(number)
                            : (Long) told[i + 1];
        }
        long[] values = new long[Integer.bitCount(present)];
        int at = 0;
        for (int field = 0; field < all.length; field++) {
            if ((present >>> field & 1) != 0) {
                values[at++] = all[field];
            }
        }
        return new Hit(point, TraceFields.of(present, values, ""));
    }
}

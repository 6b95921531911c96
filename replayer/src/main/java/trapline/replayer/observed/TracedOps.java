package trapline.replayer.observed;

import java.util.List;
import java.util.Optional;
import trapline.engine.cpu.GuestOp;
import trapline.engine.event.InputEvent;
import trapline.engine.event.InputEvent.DeviceRead;
import trapline.engine.event.ObservedEvent.MsrLogged;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Tracepoint;

/// The guest's ops that events other than the exit itself tell.
///
/// What only a device sees of an op, and the trace does not have, is 0: the value of an OUT without `kvm_pio`.
final class TracedOps {

    private static final long UNSATISFIED_READ = 0;
    private static final long MMIO_WRITE = 2;

    /// An op and what the world answered to it.
    record Traced(GuestOp op, List<InputEvent> answers, boolean faulted) {
        Traced(GuestOp op) {
            this(op, List.of(), false);
        }
    }

    private TracedOps() {}

    /// What KVM does for the guest with or without an exit of its own, as when it emulates.
    static boolean isOp(Tracepoint point) {
        return switch (point) {
            case KVM_MSR, KVM_CPUID, KVM_PIO, KVM_MMIO, KVM_CR, KVM_HYPERCALL -> true;
            default -> false;
        };
    }

    /// Whether more of one kind can be one instruction's: a string's elements, parts of a wide access.
    static boolean comesInParts(Tracepoint point) {
        return point == Tracepoint.KVM_PIO || point == Tracepoint.KVM_MMIO;
    }

    /// A read of memory-mapped I/O that userspace has yet to answer.
    static boolean unanswered(TracepointHit hit) {
        return hit.point() == Tracepoint.KVM_MMIO && value(hit, "type") == UNSATISFIED_READ;
    }

    /// The op that an event tells by itself, if it does.
    static Optional<Traced> of(TracepointHit hit, long rip, boolean svm) {
        return switch (hit.point()) {
            case KVM_MSR -> Optional.of(msr(hit, rip));
            case KVM_CPUID ->
                    Optional.of(
                            new Traced(
                                    new GuestOp.Cpuid(
                                            rip,
                                            (int) value(hit, "function"),
                                            (int) value(hit, "index"))));
            case KVM_PIO -> Optional.of(io(hit, rip));
            case KVM_MMIO -> Optional.of(mmio(hit, rip));
            case KVM_CR ->
                    value(hit, "write") == 0
                            ? Optional.empty()
                            : Optional.of(
                                    new Traced(
                                            new GuestOp.MovToCr(
                                                    rip,
                                                    (int) value(hit, "cr"),
                                                    value(hit, "value"))));
            case KVM_HYPERCALL ->
                    Optional.of(new Traced(new GuestOp.Hypercall(rip, svm, value(hit, "nr"))));
            default -> Optional.empty();
        };
    }

    /// As [trapline.engine.guest.MsrLog] has it.
    static GuestOp of(MsrLogged access) {
        return access.write()
                ? new GuestOp.Wrmsr(access.rip(), access.msr(), access.value(), true)
                : new GuestOp.Rdmsr(access.rip(), access.msr(), true, access.value());
    }

    private static Traced msr(TracepointHit hit, long rip) {
        int msr = (int) value(hit, "msr");
        long value = value(hit, "value");
        boolean faulted = value(hit, "fault") != 0;
        GuestOp op =
                value(hit, "write") != 0
                        ? new GuestOp.Wrmsr(rip, msr, value, !faulted)
                        : new GuestOp.Rdmsr(rip, msr, !faulted, faulted ? 0 : value);
        return new Traced(op, List.of(), faulted);
    }

    private static Traced io(TracepointHit hit, long rip) {
        int port = (int) value(hit, "port");
        int size = (int) value(hit, "size");
        long value = value(hit, "value");
        boolean write = value(hit, "write") != 0;
        return new Traced(
                new GuestOp.Io(rip, port, size, write, write ? value : 0),
                write ? List.of() : List.of(new DeviceRead(port, size, value)),
                false);
    }

    private static Traced mmio(TracepointHit hit, long rip) {
        long address = value(hit, "gpa");
        int size = (int) value(hit, "len");
        long value = value(hit, "value");
        boolean write = value(hit, "type") == MMIO_WRITE;
        return new Traced(
                new GuestOp.Mmio(rip, address, size, write, write ? value : 0),
                write || unanswered(hit)
                        ? List.of()
                        : List.of(new DeviceRead(address, size, value)),
                false);
    }

    private static long value(TracepointHit hit, String field) {
        return Handling.value(hit, field, 0);
    }
}

package trapline.replayer.times;

import trapline.engine.event.Envelope;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Stamp;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;

/// What each tracepoint says about exits.
final class ObservedExits {

    private static final int SVM = 2;
    private static final int MMIO_READ = 1;
    private static final int MMIO_WRITE = 2;
    private static final long VALID = 1L << 31;

    // Where the fields are, so that nobody looks them up for each event.
    private static final int EXIT_ISA = Tracepoint.KVM_EXIT.field("isa");
    private static final int EXIT_REASON = Tracepoint.KVM_EXIT.field("reason");
    private static final int EXIT_RIP = Tracepoint.KVM_EXIT.field("rip");
    private static final int EXIT_INFO2 = Tracepoint.KVM_EXIT.field("info2");
    private static final int EXIT_INTR_INFO = Tracepoint.KVM_EXIT.field("intrInfo");
    private static final int EXIT_ERROR_CODE = Tracepoint.KVM_EXIT.field("errorCode");
    private static final int MSR_WRITE = Tracepoint.KVM_MSR.field("write");
    private static final int MSR_MSR = Tracepoint.KVM_MSR.field("msr");
    private static final int PIO_WRITE = Tracepoint.KVM_PIO.field("write");
    private static final int PIO_PORT = Tracepoint.KVM_PIO.field("port");
    private static final int MMIO_TYPE = Tracepoint.KVM_MMIO.field("type");
    private static final int MMIO_GPA = Tracepoint.KVM_MMIO.field("gpa");
    private static final int FAST_MMIO_GPA = Tracepoint.KVM_FAST_MMIO.field("gpa");
    private static final int CR_WRITE = Tracepoint.KVM_CR.field("write");
    private static final int CR_CR = Tracepoint.KVM_CR.field("cr");
    private static final int HYPERCALL_NR = Tracepoint.KVM_HYPERCALL.field("nr");
    private static final int VIRQ_VECTOR = Tracepoint.KVM_INJ_VIRQ.field("vector");
    private static final int EXCEPTION = Tracepoint.KVM_INJ_EXCEPTION.field("exception");
    private static final int USERSPACE_REASON = Tracepoint.KVM_USERSPACE_EXIT.field("reason");
    private static final int USERSPACE_ERRNO = Tracepoint.KVM_USERSPACE_EXIT.field("errno");
    private static final int WAKEUP_NS = Tracepoint.KVM_VCPU_WAKEUP.field("ns");

    private final ExitTimes times;

    ObservedExits(ExitTimes times) {
        this.times = times;
    }

    void add(TracepointHit hit, Envelope envelope) {
        TraceFields fields = hit.fields();
        switch (hit.point()) {
            case KVM_EXIT -> exit(hit, envelope);
            case KVM_ENTRY -> times.end(envelope, hit.time());
            case KVM_MSR -> access(Dimension.MSR, fields, MSR_MSR, MSR_WRITE, hit, envelope);
            case KVM_PIO -> access(Dimension.PORT, fields, PIO_PORT, PIO_WRITE, hit, envelope);
            case KVM_CR -> access(Dimension.CR, fields, CR_CR, CR_WRITE, hit, envelope);
            case KVM_MMIO -> mmio(fields, hit, envelope);
            case KVM_FAST_MMIO -> {
                long gpa = fields.value(FAST_MMIO_GPA, 0);
                begin(Dimension.MMIO, Subject.page(gpa, true), hit, envelope);
            }
            case KVM_HYPERCALL ->
                    begin(Dimension.HYPERCALL, fields.value(HYPERCALL_NR, 0), hit, envelope);
            case KVM_INJ_VIRQ ->
                    count(Subject.injectedInterrupt(fields.value(VIRQ_VECTOR, 0)), envelope);
            case KVM_INJ_EXCEPTION ->
                    count(Subject.injectedException(fields.value(EXCEPTION, 0)), envelope);
            case KVM_USERSPACE_EXIT -> userspace(fields, hit, envelope);
            case KVM_VCPU_WAKEUP -> handling(envelope).halted(fields.value(WAKEUP_NS, 0));
            default -> {}
        }
    }

    private void exit(TracepointHit hit, Envelope envelope) {
        if (!times.begin(envelope, hit.time())) {
            return;
        }
        TraceFields fields = hit.fields();
        boolean svm = fields.value(EXIT_ISA, 0) == SVM;
        Stamp stamp = envelope.stamp();
        long reason = Subject.reason(svm, fields.value(EXIT_REASON, 0));
        begin(Dimension.REASON, reason, hit, stamp);
        handling(stamp)
                .begin(
                        Dimension.VCPU,
                        ExitTimes.vcpu(stamp),
                        hit.time(),
                        stamp.order(),
                        stamp.pcpu());
        if (fields.has(EXIT_RIP)) {
            begin(Dimension.RIP, fields.value(EXIT_RIP, 0), hit, stamp);
        }
        long interrupt = svm ? 0 : interrupt(fields);
        if ((interrupt & VALID) != 0) {
            begin(Dimension.VECTOR, Subject.exitVector(interrupt & 0xff), hit, stamp);
        }
    }

    /// VMX's exit interruption information: up to 5.4 it is the second of two infos.
    private static long interrupt(TraceFields fields) {
        if (fields.has(EXIT_INTR_INFO)) {
            return fields.value(EXIT_INTR_INFO, 0);
        }
        return fields.has(EXIT_ERROR_CODE) ? 0 : fields.value(EXIT_INFO2, 0);
    }

    private void access(
            Dimension dimension,
            TraceFields fields,
            int number,
            int write,
            TracepointHit hit,
            Envelope envelope) {
        long code = Subject.access(fields.value(number, 0), fields.value(write, 0) != 0);
        begin(dimension, code, hit, envelope);
    }

    /// An unsatisfied read is no access yet: the read follows when userspace has answered.
    private void mmio(TraceFields fields, TracepointHit hit, Envelope envelope) {
        long type = fields.value(MMIO_TYPE, 0);
        long code = Subject.page(fields.value(MMIO_GPA, 0), type == MMIO_WRITE);
        if (type == MMIO_WRITE) {
            handling(envelope).takeFirstAccess();
            begin(Dimension.MMIO, code, hit, envelope);
        } else if (type == MMIO_READ && times.wants(envelope)) {
            times.count(Dimension.MMIO, code);
            read(code, hit, envelope.stamp());
        }
    }

    private void read(long code, TracepointHit hit, Stamp stamp) {
        Handling handling = handling(stamp);
        if (handling.takeFirstAccess()
                && times.groupsBy(Dimension.MMIO)
                && hit.time() >= handling.exitTime()
                && !times.lostSince(handling.exitOrder(), handling.exitPcpu(), stamp.pcpu())) {
            long duration = hit.time() - handling.exitTime();
            times.took(Dimension.MMIO, code, duration, handling, hit.time());
        }
    }

    private void userspace(TraceFields fields, TracepointHit hit, Envelope envelope) {
        handling(envelope).userspace(hit.time());
        long errno = fields.has(USERSPACE_REASON) ? 0 : fields.value(USERSPACE_ERRNO, 0);
        long code = Subject.userspace(fields.value(USERSPACE_REASON, 0), Math.abs(errno));
        begin(Dimension.USERSPACE, code, hit, envelope);
    }

    private void count(long vector, Envelope envelope) {
        if (times.wants(envelope)) {
            times.count(Dimension.VECTOR, vector);
        }
    }

    private void begin(Dimension dimension, long code, TracepointHit hit, Envelope envelope) {
        if (times.wants(envelope)) {
            begin(dimension, code, hit, envelope.stamp());
        }
    }

    private void begin(Dimension dimension, long code, TracepointHit hit, Stamp stamp) {
        times.count(dimension, code);
        handling(stamp).begin(dimension, code, hit.time(), stamp.order(), stamp.pcpu());
    }

    private Handling handling(Envelope envelope) {
        return handling(envelope.stamp());
    }

    private Handling handling(Stamp stamp) {
        return times.handling(ExitTimes.vcpu(stamp));
    }
}

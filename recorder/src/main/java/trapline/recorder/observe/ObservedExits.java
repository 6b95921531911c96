package trapline.recorder.observe;

import java.time.InstantSource;
import java.util.Arrays;
import java.util.Optional;
import trapline.engine.event.Envelope;
import trapline.engine.event.ObservedEvent.EventsLost;
import trapline.engine.event.ObservedEvent.TraceClock;
import trapline.engine.event.ObservedEvent.TraceOpened;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Stamp;
import trapline.engine.event.Stamp.Scope;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;
import trapline.engine.state.Vendor;
import trapline.journal.SessionWriter;
import trapline.recorder.ExitSeconds;
import trapline.schemas.ExitObserved;
import trapline.schemas.ExitObserved.Effort;
import trapline.schemas.ExitObserved.Reason;
import trapline.schemas.ExitObserved.Subject;
import trapline.schemas.ExitObserved.Took;

/// Makes of what was observed one record for each exit, and each second's statistics, for dashboards.
final class ObservedExits {

    private static final long SVM = 2;
    private static final int RIP = Tracepoint.KVM_EXIT.field("rip");
    private static final int ISA = Tracepoint.KVM_EXIT.field("isa");
    private static final int REASON = Tracepoint.KVM_EXIT.field("reason");
    private static final int INFO1 = Tracepoint.KVM_EXIT.field("info1");
    private static final int MSR = Tracepoint.KVM_MSR.field("msr");
    private static final int MSR_WRITE = Tracepoint.KVM_MSR.field("write");
    private static final int PORT = Tracepoint.KVM_PIO.field("port");
    private static final int PORT_WRITE = Tracepoint.KVM_PIO.field("write");

    private final String session;
    private final SessionWriter writer;
    private final InstantSource clock;
    private final ExitSeconds seconds;
    private boolean nanoseconds = true;
    private Open[] open = new Open[1];

    ObservedExits(String session, SessionWriter writer, InstantSource clock) {
        this.session = session;
        this.writer = writer;
        this.clock = clock;
        seconds = new ExitSeconds(session, writer);
    }

    /// An exit whose entry has not come yet.
    private static final class Open {
        final Stamp stamp;
        final TraceFields exit;
        final long time;
        Subject subject = Subject.NONE;
        boolean nested;
        boolean reflected;
        boolean userspace;
        int events = 1;
        Took took = Took.UNKNOWN;

        Open(Stamp stamp, TracepointHit hit) {
            this.stamp = stamp;
            exit = hit.fields();
            time = hit.time();
        }
    }

    void accept(Envelope envelope) {
        if (!writer.keepsExits()) {
            return;
        }
        Stamp stamp = envelope.stamp();
        if (envelope.event() instanceof TraceOpened opened) {
            nanoseconds = opened.clock() == TraceClock.NANOSECONDS;
        } else if (envelope.event() instanceof EventsLost) {
            endAll();
        } else if (stamp.scope() == Scope.VCPU && envelope.event() instanceof TracepointHit hit) {
            hit(stamp, hit);
        }
    }

    private void hit(Stamp stamp, TracepointHit hit) {
        int vcpu = stamp.vcpu();
        if (vcpu >= open.length) {
            open = Arrays.copyOf(open, vcpu + 1);
        }
        if (hit.point() == Tracepoint.KVM_EXIT) {
            if (open[vcpu] != null) {
                end(vcpu);
            }
            open[vcpu] = new Open(stamp, hit);
            return;
        }
        Open current = open[vcpu];
        if (current == null) {
            return;
        }
        current.events++;
        TraceFields fields = hit.fields();
        switch (hit.point()) {
            case KVM_MSR ->
                    current.subject =
                            new Subject(
                                    Optional.of((int) fields.value(MSR, 0)),
                                    Optional.of(fields.value(MSR_WRITE, 0) != 0),
                                    Optional.empty());
            case KVM_PIO ->
                    current.subject =
                            new Subject(
                                    Optional.empty(),
                                    Optional.of(fields.value(PORT_WRITE, 0) != 0),
                                    Optional.of((int) fields.value(PORT, 0)));
            case KVM_NESTED_VMEXIT -> current.nested = true;
            case KVM_NESTED_VMEXIT_INJECT -> current.reflected = true;
            case KVM_USERSPACE_EXIT -> current.userspace = true;
            case KVM_ENTRY -> {
                if (nanoseconds && hit.time() >= current.time) {
                    current.took = Took.nanos(hit.time() - current.time);
                }
                end(vcpu);
            }
            default -> {}
        }
    }

    private void end(int vcpu) {
        Open ended = open[vcpu];
        open[vcpu] = null;
        long now = clock.millis();
        long number = ended.exit.value(REASON, 0);
        Vendor vendor = ended.exit.value(ISA, 1) == SVM ? Vendor.SVM : Vendor.VMX;
        writer.exit(
                new ExitObserved(
                        session,
                        ended.stamp,
                        ended.nested ? 2 : 1,
                        new Reason(
                                vendor,
                                number,
                                ExitSeconds.name(vendor, number),
                                ended.exit.value(INFO1, 0)),
                        ended.exit.value(RIP, 0),
                        ended.subject,
                        new Effort(ended.reflected, ended.events, 0, 0, 0, ended.userspace),
                        now,
                        ended.took));
        seconds.count(vcpu, vendor, number, now);
    }

    /// Exits whose entry never came are recorded as they stand.
    void finish() {
        endAll();
        seconds.flush();
    }

    private void endAll() {
        for (int vcpu = 0; vcpu < open.length; vcpu++) {
            if (open[vcpu] != null) {
                end(vcpu);
            }
        }
    }
}

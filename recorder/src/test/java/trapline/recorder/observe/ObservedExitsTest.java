package trapline.recorder.observe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.ObservedEvent.EventsLost;
import trapline.engine.event.ObservedEvent.TraceClock;
import trapline.engine.event.ObservedEvent.TraceOpened;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Stamp;
import trapline.engine.event.Stamp.Scope;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;
import trapline.journal.SessionWriter;
import trapline.schemas.Checkpoint;
import trapline.schemas.ClosingRecord;
import trapline.schemas.ExitObserved;
import trapline.schemas.ExitObserved.Took;
import trapline.schemas.ExitStatistics;

/// What dashboards are told of an imported trace.
class ObservedExitsTest {

    private final Kept kept = new Kept();
    private final ObservedExits exits =
            new ObservedExits("s", kept, InstantSource.fixed(Instant.ofEpochMilli(5_000)));
    private long order;

    private static final class Kept implements SessionWriter {
        final List<ExitObserved> exits = new ArrayList<>();
        final List<ExitStatistics> statistics = new ArrayList<>();

        @Override
        public void append(byte[] record) {}

        @Override
        public long acknowledged() {
            return 0;
        }

        @Override
        public void checkpoint(Checkpoint checkpoint) {}

        @Override
        public void exit(ExitObserved exit) {
            exits.add(exit);
        }

        @Override
        public void statistics(ExitStatistics second) {
            statistics.add(second);
        }

        @Override
        public void finish(ClosingRecord closing) {}

        @Override
        public String place() {
            return "";
        }

        @Override
        public void close() {}
    }

    private void tell(int vcpu, Event event) {
        order++;
        exits.accept(new Envelope(new Stamp(order, vcpu, order, 3, Scope.VCPU, 0, 0, 0), event));
    }

    /// vcpu, isa, reason and rip are the first fields of kvm_exit.
    private void exit(int vcpu, long reason) {
        long[] values = {vcpu, 1, reason, 0x1000};
        tell(
                vcpu,
                new TracepointHit(order, 50, Tracepoint.KVM_EXIT, TraceFields.of(15, values, "")));
    }

    private void hit(int vcpu, Tracepoint point, int present, long... values) {
        tell(vcpu, new TracepointHit(order, 50, point, TraceFields.of(present, values, "")));
    }

    /// An exit, the access that it was for, and the entry: three events.
    @Test
    void anExitIsOneRecordWithWhatItWasFor() {
        exit(1, 32);
        hit(1, Tracepoint.KVM_MSR, 3, 1, 0x6e0);
        hit(1, Tracepoint.KVM_ENTRY, 1, 1);
        assertEquals(1, kept.exits.size());
        ExitObserved told = kept.exits.getFirst();
        assertEquals("MSR_WRITE", told.reason().name());
        assertEquals(0x1000, told.rip());
        assertEquals(Optional.of(0x6e0), told.subject().msr());
        assertEquals(Optional.of(true), told.subject().write());
        assertEquals(3, told.effort().events());
        assertEquals(1, told.stamp().vcpu());
        // The test's events come at nanoseconds 1 to 3.
        assertEquals(Took.nanos(2), told.took());
        assertFalse(told.effort().userspace());
    }

    @Test
    void onlyClocksThatTellNanosecondsMeasure() {
        tell(0, new TraceOpened("t", "ftrace", TraceClock.COUNTS));
        exit(0, 32);
        hit(0, Tracepoint.KVM_USERSPACE_EXIT, 1, 0);
        hit(0, Tracepoint.KVM_ENTRY, 1, 0);
        assertEquals(Took.UNKNOWN, kept.exits.getFirst().took());
        assertTrue(kept.exits.getFirst().effort().userspace());
    }

    @Test
    void exitsWithoutAnEntryAreTold() {
        exit(0, 12);
        exit(0, 10);
        tell(0, new EventsLost(order, 7));
        exit(0, 48);
        exits.finish();
        assertEquals(
                List.of("HLT", "CPUID", "EPT_VIOLATION"),
                kept.exits.stream().map(exit -> exit.reason().name()).toList());
    }

    @Test
    void aSecondsStatisticsAreByVcpuAndReason() {
        for (int i = 0; i < 3; i++) {
            exit(0, 12);
            hit(0, Tracepoint.KVM_ENTRY, 1, 0);
        }
        exit(1, 10);
        exits.finish();
        assertEquals(2, kept.statistics.size());
        assertEquals(3, kept.statistics.getFirst().exits());
        assertEquals("HLT", kept.statistics.getFirst().byReason().getFirst().reasonName());
        assertEquals(1, kept.statistics.getLast().vcpu());
        assertEquals(5_000, kept.statistics.getLast().secondMillis());
    }
}

package trapline.replayer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.HypervisorEvent.NestedBitmapMerged;
import trapline.engine.event.HypervisorEvent.NestedExited;
import trapline.engine.event.Stamp;
import trapline.engine.table.Msrs;
import trapline.replayer.InterceptionTimeline.Change;
import trapline.replayer.InterceptionTimeline.Row;
import trapline.replayer.Strip.Span;

class InterceptionTimelineTest {

    private final InterceptionTimeline timeline = new InterceptionTimeline(2);
    private long order;

    private void at(int vcpu, long op, Event event) {
        order++;
        timeline.add(
                new Envelope(new Stamp(order, vcpu, order, 0, Stamp.Scope.VCPU, op, op, 0), event));
    }

    private static Event exits(int bitmap, int msr, boolean read, boolean write) {
        return new MsrInterceptChanged(bitmap, msr, read, write);
    }

    @Test
    void everyBitmapOfEveryVcpuHasItsOwnRows() {
        at(1, 3, exits(1, Msrs.SPEC_CTRL, false, false));
        at(0, 5, exits(2, Msrs.SPEC_CTRL, true, false));
        at(0, 6, exits(1, Msrs.SPEC_CTRL, false, false));
        at(0, 7, exits(1, Msrs.SPEC_CTRL, true, true));
        List<Row> rows = timeline.rows();
        assertEquals(
                List.of("0 1", "0 2", "1 1"),
                rows.stream().map(row -> row.vcpu() + " " + row.bitmap()).toList());
        assertEquals(
                List.of(new Change(6, 3, false, false), new Change(7, 4, true, true)),
                rows.get(0).changes());
        assertEquals(
                List.of(new Span(1, 6, 1 << 3), new Span(7, 7, 1), new Span(8, 9, 1 << 3)),
                rows.get(0).strip().spans(9));
        assertEquals(
                List.of(new Span(1, 5, 1 << 3), new Span(6, 9, 1 << 1)),
                rows.get(1).strip().spans(9));
    }

    @Test
    void knowsWhenL2RanAndUnderWhichBitmap() {
        at(0, 2, new NestedBitmapMerged(true));
        at(0, 4, new NestedExited(10, 0));
        at(0, 5, new NestedBitmapMerged(false));
        at(0, 6, new NestedExited(10, 0));
        assertEquals(
                List.of(
                        new Span(1, 2, 1),
                        new Span(3, 4, 1 << InterceptionTimeline.L2_RUNS),
                        new Span(5, 5, 1),
                        new Span(6, 6, 1 << InterceptionTimeline.L2_RUNS_WITHOUT),
                        new Span(7, 8, 1)),
                timeline.nested(0).orElseThrow().spans(8));
        assertEquals(Optional.empty(), timeline.nested(1));
    }

    @Test
    void whatIsNotKeptIsCounted() {
        for (int i = 0; i < 5000; i++) {
            at(0, i, exits(1, Msrs.SPEC_CTRL, i % 2 == 0, true));
        }
        Row row = timeline.rows().getFirst();
        assertEquals(InterceptionTimeline.MOST_CHANGES, row.changes().size());
        assertEquals(5000 - InterceptionTimeline.MOST_CHANGES, row.leftOut());
        assertEquals(999, row.changes().getLast().op());
        assertEquals(5000, row.strip().spans(5000).getLast().last());
    }

    @Test
    void rowsAndChangesInAllAreBounded() {
        for (int msr = 0; msr < InterceptionTimeline.MOST_ROWS + 10; msr++) {
            at(0, 0, exits(1, msr, false, false));
        }
        assertEquals(InterceptionTimeline.MOST_ROWS, timeline.rows().size());
        assertEquals(10, timeline.leftOut());
        for (int op = 1; op < 60; op++) {
            for (int msr = 0; msr < InterceptionTimeline.MOST_ROWS; msr++) {
                at(0, op, exits(1, msr, op % 2 == 1, true));
            }
        }
        assertEquals(
                InterceptionTimeline.MOST_CHANGES_IN_ALL,
                timeline.rows().stream().mapToInt(row -> row.changes().size()).sum());
        assertEquals(
                60L * InterceptionTimeline.MOST_ROWS - InterceptionTimeline.MOST_CHANGES_IN_ALL,
                timeline.rows().stream().mapToLong(Row::leftOut).sum());
    }
}

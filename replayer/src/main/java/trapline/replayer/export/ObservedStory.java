package trapline.replayer.export;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import trapline.engine.event.Envelope;
import trapline.engine.event.ObservedEvent;
import trapline.engine.event.ObservedEvent.EventsLost;
import trapline.engine.event.ObservedEvent.MsrLogged;
import trapline.engine.event.ObservedEvent.ThreadSeen;
import trapline.engine.event.ObservedEvent.TraceOpened;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Stamp;
import trapline.engine.event.Stamp.Scope;
import trapline.engine.event.Tracepoint;
import trapline.engine.state.Vendor;
import trapline.engine.table.Msrs;
import trapline.replayer.EventFields;

/// A trace as a timeline, in the trace's own time; a clock that counts is drawn as if it counted nanoseconds.
///
/// Threads that are no vCPU have a row each, all of them one if there are too many.
final class ObservedStory implements Story {

    private static final int MOST_THREADS = 1000;

    private final Timeline timeline;
    private final EventFields fields = new EventFields(Vendor.VMX);
    private final List<VcpuRow> vcpus = new ArrayList<>();
    private final Map<Integer, Integer> threadRows = new HashMap<>();
    private final Map<Integer, String> names = new LinkedHashMap<>();
    private final boolean[] counted;
    private int rows;
    private int others = -1;
    private long end;

    ObservedStory(Timeline timeline, int count) throws IOException {
        this.timeline = timeline;
        counted = new boolean[count];
        for (int vcpu = 0; vcpu < count; vcpu++) {
            timeline.row(vcpu, "vCPU " + vcpu);
            vcpus.add(new VcpuRow(timeline, vcpu));
        }
        rows = 2 * count; // the second half are counters
    }

    @Override
    public void event(Envelope envelope, boolean wanted) throws IOException {
        Stamp stamp = envelope.stamp();
        switch ((ObservedEvent) envelope.event()) {
            case TraceOpened _ -> {}
            case ThreadSeen seen -> {
                if (names.size() < MOST_THREADS || names.containsKey(seen.thread())) {
                    names.put(seen.thread(), seen.command());
                }
            }
            case TracepointHit hit -> hit(stamp, hit, wanted);
            case MsrLogged logged -> {
                if (wanted) {
                    String name = (logged.write() ? "WRMSR " : "RDMSR ") + Msrs.name(logged.msr());
                    draw(stamp, 0, logged.time(), name, logged);
                }
            }
            case EventsLost lost -> {
                for (VcpuRow row : vcpus) {
                    if (row.outside()) {
                        row.entry(lost.time(), 0); // nobody knows how the exit went on
                    }
                }
                if (wanted) {
                    String name = "events lost on CPU " + stamp.pcpu();
                    end = Math.max(end, lost.time());
                    timeline.instant(threadRow(0), lost.time(), name, fields.of(lost));
                }
            }
        }
    }

    private void hit(Stamp stamp, TracepointHit hit, boolean wanted) throws IOException {
        boolean vcpu = stamp.scope() == Scope.VCPU;
        if (vcpu && hit.point() == Tracepoint.KVM_ENTRY) {
            VcpuRow row = vcpus.get(stamp.vcpu());
            if (wanted || row.outside()) {
                row.entry(hit.time(), 0);
            }
        } else if (wanted && vcpu && hit.point() == Tracepoint.KVM_EXIT) {
            Map<String, Object> details = fields.of(hit);
            vcpus.get(stamp.vcpu())
                    .exit(
                            stamp.order(),
                            hit.time(),
                            String.valueOf(details.getOrDefault("reason", "exit")),
                            details);
        } else if (wanted) {
            Object msr = fields.of(hit).get("msr");
            String name = hit.point().text() + (msr == null ? "" : " " + msr);
            if (vcpu && msr != null) {
                vcpus.get(stamp.vcpu()).name(msr.toString());
            }
            draw(stamp, hit.thread(), hit.time(), name, hit);
            specCtrl(stamp, hit);
        }
        end = wanted ? Math.max(end, hit.time()) : end;
    }

    private void draw(Stamp stamp, int thread, long time, String name, ObservedEvent event)
            throws IOException {
        end = Math.max(end, time);
        Map<String, Object> details = fields.of(event);
        if (stamp.scope() != Scope.VCPU) {
            timeline.instant(threadRow(thread), time, name, details);
        } else if (stamp.cause() == 0) {
            vcpus.get(stamp.vcpu()).instant(stamp.order(), time, name, details);
        } else {
            vcpus.get(stamp.vcpu()).slice(stamp.order(), stamp.cause(), time, 0, name, details);
        }
    }

    /// What the guest was seen to write; nothing is known before.
    private void specCtrl(Stamp stamp, TracepointHit hit) throws IOException {
        if (hit.point() != Tracepoint.KVM_MSR || stamp.scope() != Scope.VCPU) {
            return;
        }
        var told = hit.fields();
        boolean wrote =
                told.value(hit.point().field("msr"), 0) == Msrs.SPEC_CTRL
                        && told.value(hit.point().field("write"), 0) == 1
                        && told.value(hit.point().field("fault"), 0) == 0;
        if (wrote && told.has(hit.point().field("value"))) {
            int counter = vcpus.size() + stamp.vcpu();
            if (!counted[stamp.vcpu()]) {
                timeline.counter(counter, "vCPU %d SPEC_CTRL, as seen".formatted(stamp.vcpu()));
                counted[stamp.vcpu()] = true;
            }
            timeline.value(counter, hit.time(), told.value(hit.point().field("value"), 0));
        }
    }

    private int threadRow(int thread) throws IOException {
        Integer row = threadRows.get(thread);
        if (row != null) {
            return row;
        }
        if (threadRows.size() == MOST_THREADS) {
            if (others < 0) {
                others = rows++;
                timeline.row(others, "other threads");
            }
            return others;
        }
        threadRows.put(thread, rows);
        timeline.row(rows, thread == 0 ? "host" : names.getOrDefault(thread, "") + " " + thread);
        return rows++;
    }

    @Override
    public void finish() throws IOException {
        for (VcpuRow row : vcpus) {
            row.finish(end);
        }
    }
}

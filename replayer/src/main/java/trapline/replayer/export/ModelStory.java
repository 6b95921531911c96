package trapline.replayer.export;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.GuestEvent.InstructionsRetired;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.MsrInterceptChanged;
import trapline.engine.event.InputEvent;
import trapline.engine.event.Stamp;
import trapline.engine.state.MachineState;
import trapline.engine.state.VcpuState;
import trapline.engine.table.Msrs;
import trapline.replayer.EventFields;
import trapline.replayer.Names;
import trapline.replayer.Session;

/// A session of the model's as a timeline, an event a microsecond: the model counts instructions, not time.
///
/// SPEC_CTRL is what the state says after each event: what the guest would read, and what the pCPU holds.
final class ModelStory implements Story {

    private static final long NANOS = 1000;

    /// Counters are many only if a guest's policy changes the interception of many MSRs.
    private static final int MOST_COUNTERS = 4096;

    private final Timeline timeline;
    private final Session session;
    private final EventFields fields;
    private final MachineState machine;
    private final List<VcpuRow> rows = new ArrayList<>();
    private final Map<String, Integer> counters = new LinkedHashMap<>();
    private final OptionalLong[] guest;
    private final OptionalLong[] hardware;
    private final Consumer<String> notes;
    private long leftOut;
    private long end;

    ModelStory(Timeline timeline, Session session, Consumer<String> notes) throws IOException {
        this.timeline = timeline;
        this.notes = notes;
        this.session = session;
        fields = new EventFields(session.vendor());
        machine = new MachineState(session.config());
        int vcpus = session.vcpus();
        guest = new OptionalLong[vcpus];
        hardware = new OptionalLong[vcpus];
        for (int vcpu = 0; vcpu < vcpus; vcpu++) {
            timeline.row(vcpu, "vCPU " + vcpu);
            rows.add(new VcpuRow(timeline, vcpu));
            guest[vcpu] = OptionalLong.empty();
            hardware[vcpu] = OptionalLong.empty();
        }
    }

    @Override
    public void event(Envelope envelope, boolean wanted) throws IOException {
        machine.apply(envelope);
        Stamp stamp = envelope.stamp();
        long time = stamp.order() * NANOS;
        VcpuRow row = rows.get(stamp.vcpu());
        if (wanted) {
            draw(envelope, time, row);
            specCtrl(stamp, time);
            end = time + NANOS;
        }
        if (envelope.event() instanceof VmEntered entered && (wanted || row.outside())) {
            row.entry(time + (wanted ? NANOS : 0), entered.level());
        }
    }

    private void draw(Envelope envelope, long time, VcpuRow row) throws IOException {
        Stamp stamp = envelope.stamp();
        switch (envelope.event()) {
            case VmExited exited ->
                    row.exit(
                            stamp.order(),
                            time,
                            Names.exit(session.vendor(), exited.reason()),
                            details(envelope));
            case InstructionsRetired _ -> {}
            case GuestEvent event -> {
                subject(fields.of(event)).ifPresent(row::name);
                row.instant(stamp.order(), time, name(envelope), details(envelope));
            }
            case InputEvent _ ->
                    row.instant(stamp.order(), time, name(envelope), details(envelope));
            default ->
                    row.slice(
                            stamp.order(),
                            stamp.cause(),
                            time,
                            NANOS,
                            name(envelope),
                            details(envelope));
        }
        if (envelope.event() instanceof MsrInterceptChanged changed) {
            intercept(stamp.vcpu(), changed, time);
        }
    }

    private Map<String, Object> details(Envelope envelope) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("order", envelope.stamp().order());
        details.put("op", envelope.stamp().op());
        details.put("tick", envelope.stamp().tick());
        details.putAll(fields.of(envelope.event()));
        return details;
    }

    private String name(Envelope envelope) {
        String name = envelope.event().name();
        return subject(fields.of(envelope.event())).map(what -> name + " " + what).orElse(name);
    }

    /// What an event is about, by its name.
    private static Optional<String> subject(Map<String, Object> fields) {
        for (String key : List.of("msr", "field", "variable", "port", "leaf", "check")) {
            if (fields.containsKey(key)) {
                return Optional.of(fields.get(key).toString());
            }
        }
        return Optional.empty();
    }

    /// 0 for passed through, 1 for reads, 2 for writes, 3 for both.
    private void intercept(int vcpu, MsrInterceptChanged changed, long time) throws IOException {
        String name =
                "vCPU %d intercepts %s in bitmap%02d"
                        .formatted(vcpu, Msrs.name(changed.msr()), changed.bitmap());
        value(name, time, (changed.read() ? 1 : 0) + (changed.write() ? 2 : 0));
    }

    private void specCtrl(Stamp stamp, long time) throws IOException {
        VcpuState vcpu = machine.vcpu(stamp.vcpu());
        long believed = vcpu.msr(Msrs.SPEC_CTRL);
        long held = machine.hardwareMsr(vcpu, Msrs.SPEC_CTRL);
        if (changed(guest, vcpu.id(), believed)) {
            value("vCPU %d SPEC_CTRL of the guest".formatted(vcpu.id()), time, believed);
        }
        if (changed(hardware, vcpu.id(), held)) {
            value("vCPU %d SPEC_CTRL in hardware".formatted(vcpu.id()), time, held);
        }
    }

    private static boolean changed(OptionalLong[] values, int vcpu, long value) {
        OptionalLong before = values[vcpu];
        values[vcpu] = OptionalLong.of(value);
        return !values[vcpu].equals(before);
    }

    private void value(String name, long time, long value) throws IOException {
        Integer counter = counters.get(name);
        if (counter == null) {
            if (counters.size() == MOST_COUNTERS) {
                leftOut++;
                return;
            }
            counter = rows.size() + counters.size();
            counters.put(name, counter);
            timeline.counter(counter, name);
        }
        timeline.value(counter, time, value);
    }

    @Override
    public void finish() throws IOException {
        for (VcpuRow row : rows) {
            row.finish(end);
        }
        if (leftOut > 0) {
            notes.accept(
                    "%,d values are left out: there are more than %,d counters"
                            .formatted(leftOut, MOST_COUNTERS));
        }
    }
}

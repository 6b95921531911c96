package trapline.replayer.explore;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import trapline.engine.event.Envelope;
import trapline.engine.event.ObservedEvent.MsrLogged;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Stamp.Scope;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;
import trapline.engine.state.Vendor;
import trapline.engine.table.ExitReasons;
import trapline.engine.table.Msrs;
import trapline.replayer.EventFields.Hex;
import trapline.replayer.Names;

/// The lanes of a trace over a few thousand events: what was seen, and nothing where nothing was.
final class ObservedTimeline {

    private static final long SVM = 2;
    private static final int MOST_TIMES = 32;

    private static final int EXIT_ISA = Tracepoint.KVM_EXIT.field("isa");
    private static final int EXIT_REASON = Tracepoint.KVM_EXIT.field("reason");
    private static final int MSR_INDEX = Tracepoint.KVM_MSR.field("msr");
    private static final int MSR_VALUE = Tracepoint.KVM_MSR.field("value");
    private static final int MSR_FAULT = Tracepoint.KVM_MSR.field("fault");
    private static final int PORT = Tracepoint.KVM_PIO.field("port");
    private static final int USERSPACE = Tracepoint.KVM_USERSPACE_EXIT.field("reason");

    private final Events events;
    private final List<Seen> lanes = new ArrayList<>();
    private final List<Object> times = new ArrayList<>();

    ObservedTimeline(Events events) {
        this.events = events;
    }

    /// Some events of the range with the trace clock's time, to label the axis with.
    List<Object> times() {
        return times;
    }

    /// @param from the lanes begin behind this event
    List<Object> lanes(long from, long to) {
        long step = Math.max(1, (to - from) / MOST_TIMES);
        lane(events.vcpus() - 1, 0);
        long begin = Math.max(0, Chunk.number(from) - 1) * Chunk.SIZE;
        for (long order = begin + 1; order <= to; order++) {
            Envelope event = events.event(order);
            if (order == from + 1) {
                lanes.forEach(lane -> lane.begin(from));
            }
            if (event.stamp().scope() == Scope.VCPU) {
                lane(event.stamp().vcpu(), from).add(event);
            }
            if (order > from && (order - from - 1) % step == 0) {
                time(event);
            }
        }
        if (from == to) {
            lanes.forEach(lane -> lane.begin(from));
        }
        return lanes.stream().<Object>map(lane -> lane.tree(to)).toList();
    }

    private void time(Envelope event) {
        switch (event.event()) {
            case TracepointHit e -> times.add(List.of(event.stamp().order(), e.time()));
            case MsrLogged e -> times.add(List.of(event.stamp().order(), e.time()));
            default -> {}
        }
    }

    private Seen lane(int vcpu, long from) {
        while (lanes.size() <= vcpu) {
            lanes.add(new Seen(lanes.size(), from));
        }
        return lanes.get(vcpu);
    }

    /// One vCPU as it was seen.
    private static final class Seen {

        private final int vcpu;
        private Mode.Exit exit;
        private Mode mode;
        private long seq;
        private Runs<Mode> modes;
        private Runs<Object> guest;

        Seen(int vcpu, long from) {
            this.vcpu = vcpu;
            mode = new Mode("unknown", null, 1, 0);
            modes = new Runs<>(from, mode);
            guest = new Runs<>(from, "unknown");
        }

        void begin(long from) {
            mode = new Mode(mode.name(), mode.exit(), mode.level(), seq);
            modes = new Runs<>(from, mode);
            guest = new Runs<>(from, guest.value());
        }

        void add(Envelope event) {
            seq = event.stamp().seq();
            long order = event.stamp().order();
            if (event.event() instanceof TracepointHit hit) {
                add(hit, order);
            } else if (event.event() instanceof MsrLogged e && e.msr() == Msrs.SPEC_CTRL) {
                guest.change(order, new Hex(e.value()));
            }
        }

        private void add(TracepointHit hit, long order) {
            TraceFields fields = hit.fields();
            switch (hit.point()) {
                case KVM_EXIT -> {
                    Vendor vendor = fields.value(EXIT_ISA, 0) == SVM ? Vendor.SVM : Vendor.VMX;
                    exit = new Mode.Exit(Names.exit(vendor, fields.value(EXIT_REASON, 0)), 1);
                    mode(order, "exit");
                }
                case KVM_ENTRY -> {
                    exit = null;
                    mode(order, "guest");
                }
                case KVM_USERSPACE_EXIT -> {
                    subject(ExitReasons.userspace((int) fields.value(USERSPACE, 0)));
                    mode(order, "userspace");
                }
                case KVM_PIO -> subject(Names.hex(fields.value(PORT, 0)));
                case KVM_MSR -> {
                    int msr = (int) fields.value(MSR_INDEX, 0);
                    subject(Msrs.name(msr));
                    if (msr == Msrs.SPEC_CTRL && fields.value(MSR_FAULT, 0) == 0) {
                        guest.change(order, new Hex(fields.value(MSR_VALUE, 0)));
                    }
                }
                default -> {}
            }
        }

        private void subject(String text) {
            if (exit != null) {
                exit.subject(text);
            }
        }

        private void mode(long order, String name) {
            mode = new Mode(name, exit, 1, seq);
            modes.change(order, mode);
        }

        SequencedMap<String, Object> tree(long to) {
            SequencedMap<String, Object> tree = new LinkedHashMap<>();
            List<Object> rows = new ArrayList<>();
            modes.to(to).forEach(run -> rows.add(run.value().run(run.from(), run.to())));
            SequencedMap<String, Object> specCtrl = new LinkedHashMap<>();
            specCtrl.put("hardware", List.of());
            specCtrl.put("guest", Lane.runs(guest, to));
            tree.put("vcpu", vcpu);
            tree.put("mode", rows);
            tree.put("specCtrl", specCtrl);
            tree.put("intercepts", List.of());
            tree.put("interceptsLeftOut", 0);
            tree.put("violations", List.of());
            return tree;
        }
    }
}

package trapline.replayer.export;

import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.ObservedEvent.EventsLost;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Reg;
import trapline.engine.event.Stamp.Scope;
import trapline.engine.event.Tracepoint;
import trapline.engine.state.MachineState;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;
import trapline.replayer.EventFields;
import trapline.replayer.Names;
import trapline.replayer.Session;

/// Folded stacks, for flame graphs: `vcpu0;MSR_WRITE;IA32_SPEC_CTRL;rip 0x… 12`, the vCPU, the exit's reason, what
/// it was about, and where the guest was; how many exits, or how many nanoseconds until their entries.
///
/// With too many different stacks, the rest of an exit's is told without the guest's RIP.
final class FoldedExporter implements Exporter {

    private static final int MOST_STACKS = 200_000;

    /// What an exit is about, by the first of these fields that there is.
    private static final List<String> SUBJECTS =
            List.of("msr", "port", "cr", "leaf", "function", "nr", "number");

    /// An exit that no entry has ended yet.
    private static final class Exit {
        private final long time;
        private final String reason;
        private final String rip;
        private String about = "";

        Exit(long time, String reason, String rip) {
            this.time = time;
            this.reason = reason;
            this.rip = rip;
        }
    }

    private final Map<String, Long> stacks = new TreeMap<>();
    private Exit[] exits;
    private EventFields fields;
    private boolean timed;
    private long exitCount;
    private long withoutRip;

    @Override
    public long write(Export what, OutputStream out) throws IOException {
        Session session = what.session();
        timed = what.weight() == Export.Weight.TIME;
        if (timed && !session.imported()) {
            throw new InputException(
                    Kind.NOT_APPLICABLE,
                    "--weight time",
                    "a session of the model has no time; expected --weight count");
        }
        exits = new Exit[session.vcpus()];
        fields = new EventFields(session.vendor());
        what.all(session.imported() ? this::observed : new Model(session)::event);
        for (int vcpu = 0; vcpu < exits.length; vcpu++) {
            end(vcpu, -1);
        }
        Writer text = new OutputStreamWriter(out, StandardCharsets.UTF_8);
        for (Map.Entry<String, Long> stack : stacks.entrySet()) {
            text.write(stack.getKey() + " " + stack.getValue() + "\n");
        }
        text.flush();
        if (withoutRip > 0) {
            what.notes()
                    .accept(
                            "%,d exits are told without RIP: there are more than %,d different stacks"
                                    .formatted(withoutRip, MOST_STACKS));
        }
        return exitCount;
    }

    private void observed(Envelope envelope, boolean wanted) {
        int vcpu = envelope.stamp().vcpu();
        if (envelope.event() instanceof EventsLost) {
            for (int each = 0; each < exits.length; each++) {
                end(each, -1);
            }
            return;
        }
        if (!(envelope.event() instanceof TracepointHit hit)
                || envelope.stamp().scope() != Scope.VCPU) {
            return;
        }
        if (hit.point() == Tracepoint.KVM_ENTRY) {
            end(vcpu, hit.time());
        } else if (hit.point() == Tracepoint.KVM_EXIT) {
            end(vcpu, -1);
            Map<String, Object> told = fields.of(hit);
            if (wanted) {
                String reason = String.valueOf(told.getOrDefault("reason", "exit"));
                begin(vcpu, hit.time(), reason, String.valueOf(told.getOrDefault("rip", "?")));
            }
        } else {
            about(vcpu, fields.of(hit));
        }
    }

    /// Of the model's sessions, with the state that says where the guest is.
    private final class Model {

        private final Session session;
        private final MachineState machine;

        Model(Session session) {
            this.session = session;
            machine = new MachineState(session.config());
        }

        void event(Envelope envelope, boolean wanted) {
            machine.apply(envelope);
            int vcpu = envelope.stamp().vcpu();
            switch (envelope.event()) {
                case VmExited exited -> {
                    end(vcpu, -1);
                    if (wanted) {
                        begin(
                                vcpu,
                                0,
                                Names.exit(session.vendor(), exited.reason()),
                                Names.hex(machine.vcpu(vcpu).register(Reg.RIP)));
                    }
                }
                case VmEntered _ -> end(vcpu, 0);
                case GuestEvent event -> about(vcpu, fields.of(event));
                default -> {}
            }
        }
    }

    private void begin(int vcpu, long time, String reason, String rip) {
        exits[vcpu] = new Exit(time, reason, rip);
    }

    private void about(int vcpu, Map<String, Object> told) {
        Exit exit = exits[vcpu];
        if (exit == null || !exit.about.isEmpty()) {
            return;
        }
        for (String subject : SUBJECTS) {
            Object value = told.get(subject);
            if (value != null) {
                exit.about = subject.equals("msr") ? value.toString() : subject + " " + value;
                return;
            }
        }
    }

    /// @param time of the entry; below 0 where none was seen
    private void end(int vcpu, long time) {
        Exit exit = exits[vcpu];
        exits[vcpu] = null;
        if (exit == null || (timed && time < exit.time)) {
            return;
        }
        String stack = "vcpu" + vcpu + ";" + frame(exit.reason);
        if (!exit.about.isEmpty()) {
            stack += ";" + frame(exit.about);
        }
        String whole = stack + ";rip " + exit.rip;
        boolean room = stacks.size() < MOST_STACKS || stacks.containsKey(whole);
        exitCount++;
        withoutRip += room ? 0 : 1;
        stacks.merge(room ? whole : stack, timed ? time - exit.time : 1, Long::sum);
    }

    private static String frame(String text) {
        return text.replace(';', ',').replace('\n', ' ');
    }
}

package trapline.replayer;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SortedMap;
import java.util.TreeMap;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.ObservedEvent.MsrLogged;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.Reg;
import trapline.engine.event.Stamp.Scope;
import trapline.engine.state.RegisterMap;
import trapline.engine.table.Msrs;
import trapline.replayer.EventFields.Hex;
import trapline.replayer.ReplayException.Kind;

/// What a trace showed of one vCPU's state up to an event: all else is unknown, which is not zero.
///
/// A value is the one that was seen last; what happened to it unseen since, nobody knows.
public final class ObservedState {

    private final String session;
    private final int vcpu;
    private final SortedMap<String, Seen> registers = new TreeMap<>();
    private final SortedMap<String, Seen> msrs = new TreeMap<>();
    private SequencedMap<String, Object> lastExit;
    private String mode;
    private Envelope last;

    /// What is known before the first event: nothing.
    public ObservedState(String session, int vcpu) {
        this.session = session;
        this.vcpu = vcpu;
    }

    /// What is known so far, apart from what comes.
    public ObservedState copy() {
        ObservedState copy = new ObservedState(session, vcpu);
        copy.registers.putAll(registers);
        copy.msrs.putAll(msrs);
        copy.lastExit = lastExit;
        copy.mode = mode;
        copy.last = last;
        return copy;
    }

    /// A value and the event that showed it.
    private record Seen(long value, long order, long time, String by) {

        SequencedMap<String, Object> at() {
            SequencedMap<String, Object> tree = new LinkedHashMap<>();
            tree.put("order", order);
            tree.put("time", time);
            tree.put("by", by);
            return tree;
        }
    }

    /// The state after an event of the vCPU; 0 is before its first.
    ///
    /// @param seq `Long.MAX_VALUE` for the last
    public static SequencedMap<String, Object> at(Session session, int vcpu, long seq) {
        if (vcpu < 0 || vcpu >= session.vcpus()) {
            throw session.noVcpu(vcpu);
        }
        ObservedState state = new ObservedState(session.name(), vcpu);
        if (seq > 0) {
            state.read(session, seq);
        }
        return state.view();
    }

    private void read(Session session, long seq) {
        session.events((envelope, _) -> {
            add(envelope);
            return last == null || last.stamp().seq() < seq;
        });
        long found = last == null ? 0 : last.stamp().seq();
        if (found < seq && seq != Long.MAX_VALUE) {
            throw new ReplayException(
                    Kind.NO_SUCH_PLACE,
                    "",
                    "vCPU %d of session %s has %d events, not %d"
                            .formatted(vcpu, session.name(), found, seq));
        }
    }

    /// Takes the next event; other vCPUs' show nothing.
    public void add(Envelope envelope) {
        if (envelope.stamp().vcpu() != vcpu) {
            return;
        }
        last = envelope;
        Event event = envelope.event();
        if (envelope.stamp().scope() == Scope.VM) {
            return;
        }
        if (event instanceof MsrLogged access) {
            String by = access.write() ? "WRMSR" : "RDMSR";
            register("RIP", access.rip(), access.time(), by);
            msrs.put(Msrs.name(access.msr()), seen(access.value(), access.time(), by));
        } else if (event instanceof TracepointHit hit) {
            add(hit);
        }
    }

    private void add(TracepointHit hit) {
        String by = hit.point().text();
        switch (hit.point()) {
            case KVM_EXIT -> {
                mode = "root";
                rip(hit);
                lastExit = new LinkedHashMap<>();
                lastExit.put("order", last.stamp().order());
                lastExit.put("time", hit.time());
                lastExit.putAll(ObservedFields.of(hit));
            }
            case KVM_ENTRY -> {
                mode = "guest";
                rip(hit);
            }
            case KVM_CR -> register("CR" + value(hit, "cr"), value(hit, "value"), hit.time(), by);
            case KVM_MSR -> {
                if (value(hit, "fault") == 0) {
                    String access = by + (value(hit, "write") != 0 ? " write" : " read");
                    msrs.put(
                            Msrs.name((int) value(hit, "msr")),
                            seen(value(hit, "value"), hit.time(), access));
                }
            }
            default -> {}
        }
    }

    private void rip(TracepointHit hit) {
        if (hit.fields().has(hit.point().field("rip"))) {
            register("RIP", value(hit, "rip"), hit.time(), hit.point().text());
        }
    }

    private void register(String name, long value, long time, String by) {
        registers.put(name, seen(value, time, by));
    }

    private Seen seen(long value, long time, String by) {
        return new Seen(value, last.stamp().order(), time, by);
    }

    private static long value(TracepointHit hit, String field) {
        return hit.fields().value(hit.point().field(field), 0);
    }

    /// All that is known, as a tree of names.
    public SequencedMap<String, Object> view() {
        SequencedMap<String, Object> view = new LinkedHashMap<>();
        view.put("session", session);
        view.put("vcpu", vcpu);
        view.put("seq", last == null ? 0 : last.stamp().seq());
        view.put("order", last == null ? 0 : last.stamp().order());
        view.put("observed", true);
        view.put("mode", mode);
        view.put("pcpu", last == null ? null : last.stamp().pcpu());
        view.put("registers", registers());
        SequencedMap<String, Object> guest = new LinkedHashMap<>();
        msrs.forEach((name, seen) -> guest.put(name, new Hex(seen.value())));
        view.put("msrs", new LinkedHashMap<>(Map.of("guest", guest)));
        view.put("lastExit", lastExit);
        SequencedMap<String, Object> when = new LinkedHashMap<>();
        registers.forEach((name, seen) -> when.put(name, seen.at()));
        msrs.forEach((name, seen) -> when.put(name, seen.at()));
        view.put("seenAt", when);
        return view;
    }

    /// All of them by name, null where the trace never showed one.
    private SequencedMap<String, Object> registers() {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        for (Reg register : Reg.values()) {
            if (Arrays.stream(RegisterMap.msrs())
                    .noneMatch(msr -> RegisterMap.register(msr) == register)) {
                Seen seen = registers.get(register.name());
                tree.put(register.name(), seen == null ? null : new Hex(seen.value()));
            }
        }
        return tree;
    }
}

package trapline.replayer.explore;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import trapline.engine.BrokenInvariant;
import trapline.engine.event.Envelope;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.ObservedEvent.MsrLogged;
import trapline.engine.event.ObservedEvent.TracepointHit;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;
import trapline.engine.state.MachineState;
import trapline.engine.state.Vendor;
import trapline.engine.table.Msrs;
import trapline.replayer.Names;
import trapline.replayer.Session;

/// A whole session drawn coarsely, as far as it has been read.
///
/// Memory does not grow with the session. Read by one thread, asked by any.
final class Survey implements Background.Reader {

    /// Bins of all vCPUs together.
    private static final int BINS = 32_768;

    private static final int MOST_BINS = 16_384;
    private static final int LEAST_BINS = 256;

    /// The code of an exit that a trace shows: KVM's `isa` tells whose numbers it has.
    private static final long SVM = 2;

    private static final long SVM_BIT = 1L << 62;
    private static final int EXIT_ISA = Tracepoint.KVM_EXIT.field("isa");
    private static final int EXIT_REASON = Tracepoint.KVM_EXIT.field("reason");
    private static final int MSR_INDEX = Tracepoint.KVM_MSR.field("msr");
    private static final int MSR_VALUE = Tracepoint.KVM_MSR.field("value");
    private static final int MSR_FAULT = Tracepoint.KVM_MSR.field("fault");

    private final Vendor vendor;
    private final boolean imported;
    private final List<CoarseLane> lanes = new ArrayList<>();
    private final int capacity;
    private final Sightings sightings;
    private MachineState machine;
    private long read;
    private boolean ended;
    private String problem = "";

    Survey(Session session) {
        vendor = session.vendor();
        imported = session.imported();
        machine = session.imported() ? null : new MachineState(session.config());
        sightings = new Sightings(session.name());
        int vcpus = Math.max(1, session.entry().vcpus());
        capacity = Math.clamp(Integer.highestOneBit(BINS / vcpus), LEAST_BINS, MOST_BINS);
        lane(vcpus - 1);
    }

    private CoarseLane lane(int vcpu) {
        while (lanes.size() <= vcpu) {
            lanes.add(new CoarseLane(lanes.size(), capacity));
        }
        return lanes.get(vcpu);
    }

    @Override
    public synchronized boolean event(Envelope envelope) {
        read = envelope.stamp().order();
        switch (envelope.event()) {
            case VmExited e -> lane(envelope.stamp().vcpu()).exit(read, e.reason());
            case TracepointHit e -> observed(e, lane(envelope.stamp().vcpu()));
            case MsrLogged e when e.msr() == Msrs.SPEC_CTRL ->
                    lane(envelope.stamp().vcpu()).guest(read, e.value());
            default -> {}
        }
        if (imported) {
            sightings.add(envelope);
        } else if (machine != null) {
            fold(envelope);
        }
        return true;
    }

    private void observed(TracepointHit hit, CoarseLane lane) {
        TraceFields fields = hit.fields();
        if (hit.point() == Tracepoint.KVM_EXIT) {
            long svm = fields.value(EXIT_ISA, 0) == SVM ? SVM_BIT : 0;
            lane.exit(read, (fields.value(EXIT_REASON, 0) & ~SVM_BIT) | svm);
        } else if (hit.point() == Tracepoint.KVM_MSR
                && (int) fields.value(MSR_INDEX, 0) == Msrs.SPEC_CTRL
                && fields.value(MSR_FAULT, 0) == 0) {
            lane.guest(read, fields.value(MSR_VALUE, 0));
        }
    }

    /// Where the state is not to be had, counts are all the same.
    private void fold(Envelope envelope) {
        try {
            machine.apply(envelope);
            for (CoarseLane lane : lanes) {
                lane.state(envelope, machine);
            }
        } catch (BrokenInvariant | IndexOutOfBoundsException | IllegalArgumentException e) {
            problem = "event %d does not follow: %s".formatted(read, e.getMessage());
            machine = null;
        }
    }

    @Override
    public synchronized void end(Optional<String> trouble) {
        ended = true;
        trouble.ifPresent(text -> problem = text);
    }

    private String reason(long code) {
        return imported && (code & SVM_BIT) != 0
                ? Names.exit(Vendor.SVM, code < 0 ? code : code & ~SVM_BIT)
                : Names.exit(vendor, code);
    }

    /// What a trace had shown of a vCPU at some event up to this one, the last that is kept.
    synchronized Sightings.Seen seen(int vcpu, long order) {
        return sightings.before(vcpu, order);
    }

    /// How much of a session with so many events has been read.
    synchronized double ready(long last) {
        return ended || read >= last ? 1 : (double) read / last;
    }

    /// The lanes of a range, with at most so many bins each.
    synchronized SequencedMap<String, Object> tree(
            long from, long to, int most, Set<Integer> msrs) {
        List<Object> rows = new ArrayList<>();
        for (CoarseLane lane : lanes) {
            rows.add(lane.tree(from, to, read, most, msrs, this::reason));
        }
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("read", read);
        tree.put("problem", problem.isEmpty() ? null : problem);
        tree.put("lanes", rows);
        return tree;
    }
}

package trapline.replayer;

import java.util.Optional;
import java.util.function.Supplier;
import trapline.engine.BrokenInvariant;
import trapline.engine.event.Envelope;
import trapline.engine.event.HardwareEvent;
import trapline.engine.sim.EntryFailures;
import trapline.engine.state.MachineState;
import trapline.engine.state.VcpuState;
import trapline.journal.SessionReader.Place;
import trapline.replayer.ReplayException.Kind;
import trapline.schemas.Checkpoint;
import trapline.schemas.CheckpointRef;

/// Folds a session's events into the exact state at one of them.
///
/// It starts from the last checkpoint before, so that the time does not grow with the session.
public final class Rebuild {

    /// At most so many follow a failed entry on its vCPU: the way to userspace.
    private static final long EVENTS_OF_A_FAILURE = 100;

    private final Session session;

    public Rebuild(Session session) {
        this.session = session;
    }

    /// The state after the last event.
    public MachineState atEnd() {
        return fold(session.checkpointBefore(Long.MAX_VALUE), _ -> false);
    }

    /// The state after an event of the whole session.
    public MachineState at(long order) {
        MachineState machine =
                fold(session.checkpointBefore(order), state -> state.order() >= order);
        if (machine.order() < order) {
            throw new ReplayException(
                    Kind.NO_SUCH_PLACE,
                    "",
                    "session %s has %d events, not %d"
                            .formatted(session.name(), machine.order(), order));
        }
        return machine;
    }

    /// The state after an event of one vCPU; 0 is before its first.
    public MachineState at(int vcpu, long seq) {
        if (vcpu < 0 || vcpu >= session.vcpus()) {
            throw session.noVcpu(vcpu);
        }
        if (seq == 0) {
            return new MachineState(session.config());
        }
        MachineState machine =
                fold(checkpointBefore(vcpu, seq), state -> state.vcpu(vcpu).seq() >= seq);
        if (machine.vcpu(vcpu).seq() < seq) {
            throw new ReplayException(
                    Kind.NO_SUCH_PLACE,
                    "",
                    "vCPU %d of session %s has %d events, not %d"
                            .formatted(vcpu, session.name(), machine.vcpu(vcpu).seq(), seq));
        }
        return machine;
    }

    /// The VM entry that failed last, of a vCPU that has not run since.
    public Optional<EntryFailures.Failure> failedEntry(MachineState machine, int vcpu) {
        VcpuState state = machine.vcpu(vcpu);
        if (state.mode() != VcpuState.Mode.ROOT || state.seq() == 0) {
            return Optional.empty();
        }
        LastEntry last = new LastEntry(vcpu, state.seq());
        session.events(session.checkpointBefore(vcpu, state.seq() - EVENTS_OF_A_FAILURE), last);
        return last.failures.all().stream().findFirst();
    }

    /// What the last hardware event of a vCPU was, if a failed entry.
    private static final class LastEntry implements Session.EventHandler {

        private final int vcpu;
        private final long until;
        private EntryFailures failures = new EntryFailures();

        LastEntry(int vcpu, long until) {
            this.vcpu = vcpu;
            this.until = until;
        }

        @Override
        public boolean event(Envelope envelope, Place place) {
            if (envelope.stamp().vcpu() != vcpu) {
                return true;
            }
            if (envelope.event() instanceof HardwareEvent) {
                failures = new EntryFailures();
            }
            failures.add(envelope);
            return envelope.stamp().seq() < until;
        }
    }

    private MachineState fold(Optional<CheckpointRef> from, Goal goal) {
        if (from.isEmpty()) {
            MachineState machine = new MachineState(session.config());
            session.events((envelope, place) -> apply(machine, envelope, place, goal));
            return machine;
        }
        Checkpoint checkpoint = session.checkpoint(from.get());
        MachineState machine = session.restore(checkpoint);
        if (!goal.reached(machine)) {
            session.eventsAfter(
                    from.get(),
                    checkpoint,
                    (envelope, place) -> apply(machine, envelope, place, goal));
        }
        return machine;
    }

    /// Of several vCPUs the others may have gone on between that event and a checkpoint that has it as
    /// the last one of its vCPU.
    private Optional<CheckpointRef> checkpointBefore(int vcpu, long seq) {
        return session.checkpointBefore(vcpu, session.vcpus() == 1 ? seq : seq - 1);
    }

    private static boolean apply(MachineState machine, Envelope envelope, Place place, Goal goal) {
        apply(machine, envelope, place::describe);
        return !goal.reached(machine);
    }

    /// Folds one event of a log, which may not be what was recorded.
    ///
    /// @param place where it is
    public static void apply(MachineState machine, Envelope envelope, Supplier<String> place) {
        try {
            machine.apply(envelope);
        } catch (BrokenInvariant | IndexOutOfBoundsException | IllegalArgumentException e) {
            throw new ReplayException(
                    Kind.DAMAGED,
                    place.get(),
                    "event %d does not follow: %s"
                            .formatted(envelope.stamp().order(), e.getMessage()));
        }
    }

    private interface Goal {
        boolean reached(MachineState machine);
    }
}

package trapline.replayer;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import trapline.engine.BrokenInvariant;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent;
import trapline.engine.guest.GuestFile;
import trapline.engine.guest.GuestRun;
import trapline.engine.sim.Execution;
import trapline.engine.sim.ModelWorld;
import trapline.engine.state.MachineState;
import trapline.engine.state.VcpuState;
import trapline.engine.text.InputException;
import trapline.journal.Journal;
import trapline.journal.JournalException;
import trapline.journal.SessionReader.Place;
import trapline.replayer.RecordedSteps.Recorded;
import trapline.replayer.Session.EventHandler;
import trapline.replayer.Verification.Check;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.Checkpoint;
import trapline.schemas.CheckpointRef;
import trapline.schemas.ClosingRecord;
import trapline.schemas.EventDecoder;
import trapline.schemas.StateCodec;

/// Checks a session from its first byte to its last, and executes it again beside.
///
/// The first thing found wrong ends the check that found it and says where it is; the others go on as
/// far as they can.
public final class Verify {

    /// How many events one op can have at most.
    private static final int MOST_UNMATCHED = 100_000;

    private final Session session;
    private final List<Check> checks = new ArrayList<>();
    private final MachineState machine;
    private final EventDecoder decoder;
    private final Deque<Envelope> executed = new ArrayDeque<>();
    private final Deque<Unmatched> unmatched = new ArrayDeque<>();
    private Execution execution;
    private GuestRun run;
    private StepSource steps;
    private RecordedWorld world;
    private long guestOps;
    private String stateFailure;
    private String statePlace = "";
    private String executionFailure;
    private String executionPlace = "";
    private String checkpointFailure;
    private String checkpointPlace = "";
    private int checkpointsSeen;
    private CheckpointRef nextCheckpoint;

    private Verify(Session session) {
        this.session = session;
        machine = new MachineState(session.config());
        decoder = new EventDecoder(session.reader().writers());
    }

    /// Verifies the session whose name begins so, also where it can hardly be opened.
    public static Verification of(Journal journal, String name, LongConsumer progress) {
        try (Session session = Session.open(journal, name)) {
            return session.imported()
                    ? VerifyImported.of(session, progress)
                    : new Verify(session).run(progress);
        } catch (JournalException e) {
            if (e.kind() != JournalException.Kind.DAMAGED) {
                throw e;
            }
            return unreadable(name, e.getMessage(), e.place());
        } catch (ReplayException e) {
            return unreadable(name, e.getMessage(), e.place());
        } catch (InputException e) {
            return unreadable(name, "the header's texts: " + e.getMessage(), e.place());
        }
    }

    private static Verification unreadable(String name, String message, String place) {
        return new Verification(name, 0, List.of(new Check("header", false, message, place)));
    }

    private Verification run(LongConsumer progress) {
        checks.add(new Check("header", true, "texts match their hashes", ""));
        startAgain();
        boolean whole = readEvents(progress);
        sequence(whole);
        state();
        checkpoints(whole);
        again(whole);
        return new Verification(session.name(), machine.order(), List.copyOf(checks));
    }

    private void startAgain() {
        if (!session.sameModel()) {
            return;
        }
        if (session.parts().guestKind() == GuestFile.Kind.TRACE) {
            steps = session.steps();
            world = new RecordedWorld(session.parts().world(), session.vcpus());
            execution = session.machines().execution(world, executed::add);
            execution.start();
            return;
        }
        ModelWorld model = session.parts().world();
        execution = session.machines().execution(model, executed::add);
        run = session.parts().guest().start(session.parts().seed());
        execution.start();
    }

    /// Reads all events; whether every record was whole and in its place.
    private boolean readEvents(LongConsumer progress) {
        nextCheckpoint = checkpoint(0);
        return read(
                session,
                decoder,
                (envelope, place) -> {
                    fold(envelope, place);
                    compare(envelope, place);
                    checkpoint(envelope, place);
                    long order = envelope.stamp().order();
                    if (order % 10_000 == 0) {
                        progress.accept(order);
                    }
                    return true;
                },
                checks);
    }

    /// Reads all events; a record that is damaged or out of its place becomes a check that failed.
    static boolean read(
            Session session, EventDecoder decoder, EventHandler handler, List<Check> checks) {
        try {
            session.read(null, decoder, handler);
            return true;
        } catch (ReplayException e) {
            checks.add(new Check("sequence", false, e.getMessage(), e.place()));
        } catch (JournalException e) {
            checks.add(new Check("sequence", false, e.getMessage(), e.place()));
        }
        return false;
    }

    private void fold(Envelope envelope, Place place) {
        if (envelope.event() instanceof GuestEvent) {
            guestOps++;
        }
        if (stateFailure != null) {
            return;
        }
        try {
            machine.apply(envelope);
        } catch (BrokenInvariant | IndexOutOfBoundsException | IllegalArgumentException e) {
            stateFailure =
                    "event %d does not follow: %s"
                            .formatted(envelope.stamp().order(), e.getMessage());
            statePlace = place.describe();
        }
    }

    /// The next event of the second execution has to be this one.
    private void compare(Envelope envelope, Place place) {
        if (execution == null || executionFailure != null) {
            return;
        }
        unmatched.add(new Unmatched(envelope, place.describe()));
        try {
            if (steps == null) {
                executeOn();
            } else {
                steps.accept(envelope, this::repeat);
            }
        } catch (BrokenInvariant e) {
            executionFailure = "broken invariant: " + e.getMessage();
            executionPlace = place.describe();
            return;
        }
        match(steps == null || unmatched.size() > MOST_UNMATCHED);
    }

    /// An event that was read and has not come out again yet.
    private record Unmatched(Envelope envelope, String place) {}

    /// A trace's guest is in its recorded ops alone, each of which is known when it ends.
    private void repeat(Recorded step) {
        world.expect(step.vcpu(), step.answers());
        execution.repeat(step.vcpu(), step.step());
    }

    /// @param all whether all events that were read must have come out by now
    private void match(boolean all) {
        while (executionFailure == null && !unmatched.isEmpty() && (all || !executed.isEmpty())) {
            Unmatched was = unmatched.poll();
            Envelope again = executed.poll();
            if (!was.envelope().equals(again)) {
                executionFailure = difference(was.envelope(), again);
                executionPlace = was.place();
            }
        }
    }

    private String difference(Envelope was, Envelope is) {
        Describe describe = new Describe(session.vendor());
        long order = was.stamp().order();
        if (is != null && is.event().equals(was.event())) {
            return "event %d was at %s, and came out at %s"
                    .formatted(order, was.stamp(), is.stamp());
        }
        return "event %d was %s, and came out as %s"
                .formatted(
                        order,
                        describe.event(was.event()),
                        is == null ? "nothing" : describe.event(is.event()));
    }

    /// Until there is an event, which not every step of a guest makes: a vCPU may have been stopped.
    private void executeOn() {
        while (run != null && executed.isEmpty() && run.advance(execution.machine())) {
            execution.step(run);
        }
    }

    private CheckpointRef checkpoint(int number) {
        try {
            return number < session.reader().checkpoints()
                    ? session.reader().checkpointRef(number)
                    : null;
        } catch (JournalException e) {
            checkpointFailure = e.getMessage();
            checkpointPlace = e.place();
            return null;
        }
    }

    private void checkpoint(Envelope envelope, Place place) {
        if (nextCheckpoint == null
                || checkpointFailure != null
                || stateFailure != null
                || nextCheckpoint.order() != envelope.stamp().order()) {
            return;
        }
        checkpointPlace = session.reader().place(nextCheckpoint);
        try {
            Checkpoint checkpoint = session.checkpoint(nextCheckpoint);
            checkpointFailure = difference(checkpoint, nextCheckpoint, place);
        } catch (JournalException e) {
            checkpointFailure = e.getMessage();
            checkpointPlace = e.place();
        }
        checkpointsSeen++;
        nextCheckpoint = checkpointFailure == null ? checkpoint(checkpointsSeen) : null;
    }

    /// What a checkpoint and its line in the list say that the events so far do not.
    private String difference(Checkpoint checkpoint, CheckpointRef listed, Place place) {
        if (!checkpoint.session().equals(session.name())
                || checkpoint.order() != machine.order()
                || checkpoint.eventOffset() != place.offset()
                || checkpoint.chain() != decoder.chain()) {
            return "it is not the checkpoint of event " + machine.order();
        }
        if (!Arrays.equals(checkpoint.seqs(), ofEach(VcpuState::seq))
                || !Arrays.equals(checkpoint.ticks(), ofEach(VcpuState::tick))) {
            return "its sequence numbers or ticks are not those of event " + machine.order();
        }
        if (listed.eventOffset() != checkpoint.eventOffset()
                || !Arrays.equals(listed.seqs(), checkpoint.seqs())
                || !Arrays.equals(listed.ticks(), checkpoint.ticks())) {
            return "it is listed as another";
        }
        if (session.sameModel() && !checkpoint.digest().equals(StateCodec.digest(machine))) {
            return "its state is not the one that the events give";
        }
        return null;
    }

    private long[] ofEach(ToLongFunction<VcpuState> value) {
        return IntStream.range(0, session.vcpus())
                .mapToLong(vcpu -> value.applyAsLong(machine.vcpu(vcpu)))
                .toArray();
    }

    private void sequence(boolean whole) {
        if (!whole) {
            return;
        }
        Optional<ClosingRecord> closing = session.entry().closing();
        if (closing.isEmpty() && !session.reader().unreadable().isEmpty()) {
            JournalException lost = session.reader().unreadable().getFirst();
            checks.add(
                    new Check(
                            "sequence",
                            false,
                            "%d events, and how many there have to be cannot be read: %s"
                                    .formatted(machine.order(), lost.getMessage()),
                            lost.place()));
            return;
        }
        if (closing.isEmpty()) {
            boolean open = session.entry().status() == Status.OPEN;
            checks.add(
                    new Check(
                            "sequence",
                            true,
                            "%d events without a gap; the session %s"
                                    .formatted(
                                            machine.order(),
                                            open
                                                    ? "is still open"
                                                    : "is torn: its recorder did not close it"),
                            ""));
            return;
        }
        String wrong = wrongCount(closing.get());
        checks.add(
                new Check(
                        "sequence",
                        wrong == null,
                        wrong == null
                                ? "%d events without a gap".formatted(machine.order())
                                : wrong,
                        wrong == null ? "" : session.reader().entryPlace()));
    }

    /// What the closing record says that the events do not.
    private String wrongCount(ClosingRecord closing) {
        if (closing.events() != machine.order()) {
            return "%d events, the closing record says %d"
                    .formatted(machine.order(), closing.events());
        }
        for (int vcpu = 0; vcpu < session.vcpus(); vcpu++) {
            long found = machine.vcpu(vcpu).seq();
            if (closing.vcpuEvents().length != session.vcpus()
                    || closing.vcpuEvents()[vcpu] != found) {
                return "vCPU %d has %d events, the closing record says otherwise"
                        .formatted(vcpu, found);
            }
        }
        if (closing.chain() != decoder.chain()) {
            return "the last event's CRC is %08x, the closing record says %08x"
                    .formatted(decoder.chain(), closing.chain());
        }
        return closing.guestOps() == guestOps
                ? null
                : "%d guest ops, the closing record says %d"
                        .formatted(guestOps, closing.guestOps());
    }

    private void state() {
        if (stateFailure != null) {
            checks.add(new Check("state", false, stateFailure, statePlace));
            return;
        }
        Optional<ClosingRecord> closing = session.entry().closing();
        String digest = StateCodec.digest(machine).toString();
        boolean same =
                closing.isEmpty()
                        || closing.get().events() != machine.order()
                        || closing.get().digest().toString().equals(digest);
        checks.add(
                new Check(
                        "state",
                        same,
                        same
                                ? "digest " + digest
                                : "digest %s, the closing record says %s"
                                        .formatted(digest, closing.get().digest()),
                        same ? "" : session.reader().entryPlace()));
    }

    private void checkpoints(boolean whole) {
        if (checkpointFailure != null) {
            checks.add(new Check("checkpoints", false, checkpointFailure, checkpointPlace));
            return;
        }
        int expected =
                session.entry()
                        .closing()
                        .map(ClosingRecord::checkpoints)
                        .orElseGet(session.reader()::checkpoints);
        boolean growing = session.entry().status() == Status.OPEN;
        boolean all = !whole || growing || expected == checkpointsSeen;
        checks.add(
                new Check(
                        "checkpoints",
                        all,
                        all
                                ? seenCheckpoints()
                                : "%d checkpoints, there should be %d"
                                        .formatted(checkpointsSeen, expected),
                        all ? "" : session.reader().entryPlace()));
    }

    private String seenCheckpoints() {
        return switch (checkpointsSeen) {
            case 0 -> "there are none";
            case 1 -> "1 state is the one that the events give";
            default -> "%d states are those that the events give".formatted(checkpointsSeen);
        };
    }

    private void again(boolean whole) {
        if (execution == null) {
            checks.add(
                    new Check(
                            "execution",
                            true,
                            "not repeated: model %d recorded it, this program has another"
                                    .formatted(session.header().versions().model()),
                            ""));
            return;
        }
        boolean ended = whole && session.entry().status() == Status.CLOSED;
        match(ended);
        if (executionFailure == null && ended && goesOn()) {
            executionFailure = "it goes on after event %d".formatted(machine.order());
            executionPlace = session.reader().entryPlace();
        }
        boolean same = executionFailure == null;
        checks.add(
                new Check(
                        "execution",
                        same,
                        same ? cameOut(whole) : executionFailure,
                        executionPlace));
    }

    private String cameOut(boolean whole) {
        return whole
                ? "every event came out again"
                : "%d events came out again, as far as they can be read".formatted(machine.order());
    }

    private boolean goesOn() {
        try {
            executeOn();
            return !executed.isEmpty();
        } catch (BrokenInvariant e) {
            return true;
        }
    }
}

package trapline.replayer.explore;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import trapline.engine.event.Envelope;
import trapline.engine.state.MachineState;
import trapline.journal.SessionReader.Place;
import trapline.replayer.Rebuild;
import trapline.replayer.ReplayException;
import trapline.replayer.ReplayException.Kind;
import trapline.replayer.Session;
import trapline.schemas.Checkpoint;
import trapline.schemas.CheckpointRef;

/// A session's events by chunks, the last two of them kept.
///
/// A chunk is read from the checkpoint before it, so that the time does not depend on where it is.
final class Chunks {

    /// What is around a place may be in two.
    private static final int KEPT = 2;

    /// So far a session is read without a checkpoint, about a second.
    private static final long FARTHEST = 1_000_000;

    private final Map<Long, Chunk> kept = new LinkedHashMap<>(KEPT, 1, true);

    /// The chunk with this number as the session has it now, perhaps with no event.
    Chunk read(Session session, long number) {
        Reading reading = new Reading(session, number * Chunk.SIZE);
        Optional<CheckpointRef> from = reading.from();
        if (from.isPresent()) {
            Checkpoint checkpoint = session.checkpoint(from.get());
            reading.startAt(checkpoint);
            session.eventsAfter(from.get(), checkpoint, reading);
        } else {
            checkReach(session, number);
            reading.startAtFirst();
            session.events(reading);
        }
        Chunk chunk = reading.chunk();
        keep(chunk);
        return chunk;
    }

    /// Of another version's model no checkpoint can be used, and each chunk is read from the first event on.
    private static void checkReach(Session session, long number) {
        boolean foreign = !session.imported() && !session.sameModel();
        if (foreign && number * Chunk.SIZE >= FARTHEST) {
            throw new ReplayException(
                    Kind.NOT_APPLICABLE,
                    "",
                    "session %s has no checkpoints that this version can use, so it is explored up to event %,d only"
                            .formatted(session.name(), FARTHEST));
        }
    }

    /// The chunk with this number as it was read last; empty where it was not, or was forgotten.
    Optional<Chunk> known(long number) {
        return Optional.ofNullable(kept.get(number));
    }

    void forget() {
        kept.clear();
    }

    private void keep(Chunk chunk) {
        kept.put(chunk.number(), chunk);
        if (kept.size() > KEPT) {
            kept.remove(kept.keySet().iterator().next());
        }
    }

    /// Those of a chunk, and of the events between a checkpoint and its beginning what they leave behind.
    private static final class Reading implements Session.EventHandler {

        private final Session session;
        private final long before;
        private final List<Envelope> events = new ArrayList<>();
        private MachineState machine;
        private MachineState start;
        private long[] seqs;
        private long[] startSeqs;

        Reading(Session session, long before) {
            this.session = session;
            this.before = before;
        }

        /// A trace has no state, and any program reads its checkpoints.
        Optional<CheckpointRef> from() {
            return session.imported()
                    ? session.reader().checkpointBefore(before)
                    : session.checkpointBefore(before);
        }

        void startAtFirst() {
            seqs = new long[session.entry().vcpus()];
            machine = session.imported() ? null : new MachineState(session.config());
            begin(0);
        }

        void startAt(Checkpoint checkpoint) {
            seqs = checkpoint.seqs().clone();
            machine = session.imported() ? null : session.restore(checkpoint);
            begin(checkpoint.order());
        }

        private void begin(long order) {
            if (order == before) {
                start = machine;
                startSeqs = seqs;
            }
        }

        @Override
        public boolean event(Envelope envelope, Place place) {
            long order = envelope.stamp().order();
            if (order > before) {
                events.add(envelope);
                return events.size() < Chunk.SIZE;
            }
            if (machine != null) {
                Rebuild.apply(machine, envelope, place::describe);
            }
            int vcpu = envelope.stamp().vcpu();
            if (vcpu >= seqs.length) {
                seqs = Arrays.copyOf(seqs, vcpu + 1);
            }
            seqs[vcpu] = envelope.stamp().seq();
            begin(order);
            return true;
        }

        /// Behind the session's end there is none, and none begins there.
        Chunk chunk() {
            return new Chunk(
                    before,
                    start == null ? machine : start,
                    startSeqs == null ? seqs : startSeqs,
                    events,
                    session.place());
        }
    }
}

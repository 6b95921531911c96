package trapline.recorder.observe;

import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import trapline.engine.event.Envelope;
import trapline.engine.sim.Ingredients;
import trapline.journal.Journal;
import trapline.recorder.SessionIds;
import trapline.recorder.observe.Observer.VmSeen;
import trapline.recorder.trace.TraceReader;
import trapline.recorder.trace.TraceSummary;
import trapline.schemas.SessionHeader;
import trapline.schemas.SessionHeader.Guest;
import trapline.schemas.SessionHeader.GuestKind;
import trapline.schemas.SessionHeader.Machine;
import trapline.schemas.SessionHeader.Versions;

/// Records what a trace holds: a session for each VM in it, or for the one that is asked for.
public final class Importer {

    private final Journal journal;
    private final String program;
    private final InstantSource clock;
    private final VmChoice choice;

    /// @param program the version of this program
    /// @param choice which VMs
    public Importer(Journal journal, String program, InstantSource clock, VmChoice choice) {
        this.journal = journal;
        this.program = program;
        this.clock = clock;
        this.choice = choice;
    }

    /// What came of it.
    ///
    /// @param trace what was read
    /// @param observer what it says of threads and VMs
    public record Result(List<Imported> sessions, TraceSummary trace, Observer observer) {}

    /// @param file the trace's name
    /// @param ending asked at the end: empty where the trace came to its own, else why reading stopped
    /// @param progress told now and then how many events there are
    public Result run(
            String file, TraceReader reader, Supplier<String> ending, LongConsumer progress) {
        Sessions sessions = new Sessions(file, progress);
        try {
            TraceSummary trace;
            try (Lane _ = sessions.lane) {
                trace = reader.read(sessions.observer);
                sessions.observer.finish();
            }
            if (sessions.none()) {
                throw choice.noSuchVm(file, sessions.observer.vms());
            }
            return new Result(sessions.finish(ending.get()), trace, sessions.observer);
        } catch (RuntimeException | Error e) {
            sessions.giveUp(e);
            throw e;
        }
    }

    /// The sessions that are recorded, by VM; a VM that nobody asked for has none.
    private final class Sessions implements Observer.Sink {
        private final String file;
        private final LongConsumer progress;
        private final Lane lane = new Lane();
        private final Observer observer;
        private final List<Optional<ObservedSession>> byVm = new ArrayList<>();

        Sessions(String file, LongConsumer progress) {
            this.file = file;
            this.progress = progress;
            observer = new Observer(file, this);
        }

        @Override
        public void event(int vm, Envelope envelope) {
            while (byVm.size() <= vm) {
                byVm.add(session(byVm.size()));
            }
            Optional<ObservedSession> session = byVm.get(vm);
            if (session.isPresent()) {
                lane.add(session.get(), envelope);
            }
        }

        @Override
        public void pause() {
            lane.flush();
        }

        private Optional<ObservedSession> session(int vm) {
            VmSeen seen = observer.vms().get(vm);
            return choice.wants(vm, seen) ? Optional.of(begin(seen.vcpus())) : Optional.empty();
        }

        private ObservedSession begin(int vcpus) {
            SessionHeader header =
                    new SessionHeader(
                            SessionIds.next(clock.millis(), new SecureRandom()),
                            clock.millis(),
                            new Versions(program, Ingredients.MODEL_VERSION),
                            new Guest(GuestKind.TRACE, name(file), 0),
                            new Machine("", vcpus, vcpus),
                            "",
                            Optional.empty(),
                            List.of());
            return new ObservedSession(
                    header.session(),
                    vcpus,
                    journal.create(header, Map.of()),
                    journal.framing(),
                    clock,
                    progress);
        }

        private Stream<ObservedSession> begun() {
            return byVm.stream().flatMap(Optional::stream);
        }

        boolean none() {
            return begun().findAny().isEmpty();
        }

        List<Imported> finish(String reason) {
            return begun().map(session -> session.finish(reason)).toList();
        }

        /// What has been recorded stays, as torn.
        void giveUp(Throwable cause) {
            begun().forEach(session -> {
                try {
                    session.finish(Objects.toString(cause.getMessage(), "failed"));
                } catch (RuntimeException e) {
                    cause.addSuppressed(e);
                }
            });
        }
    }

    private static String name(String file) {
        return file.substring(file.lastIndexOf('/') + 1);
    }
}

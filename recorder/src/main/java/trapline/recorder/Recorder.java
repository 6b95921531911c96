package trapline.recorder;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.LongConsumer;
import trapline.engine.BrokenInvariant;
import trapline.engine.cost.CostProfile;
import trapline.engine.cpu.Platform;
import trapline.engine.sim.Execution;
import trapline.engine.sim.Ingredients;
import trapline.engine.sim.Machines;
import trapline.journal.Journal;
import trapline.journal.SessionWriter;
import trapline.schemas.BlobRef;
import trapline.schemas.Digest;
import trapline.schemas.SessionHeader;
import trapline.schemas.SessionHeader.Guest;
import trapline.schemas.SessionHeader.GuestKind;
import trapline.schemas.SessionHeader.Machine;
import trapline.schemas.SessionHeader.Versions;

/// Records executions as sessions of a log.
public final class Recorder {

    /// How many events lie between two checkpoints: what a seek folds at most.
    private static final long CHECKPOINT_EVENTS = 20_000;

    private final Journal journal;
    private final String program;
    private final InstantSource clock;
    private final long checkpointEvents;

    /// @param program the version of this program
    public Recorder(Journal journal, String program, InstantSource clock) {
        this(journal, program, clock, CHECKPOINT_EVENTS);
    }

    private Recorder(Journal journal, String program, InstantSource clock, long checkpointEvents) {
        this.journal = journal;
        this.program = program;
        this.clock = clock;
        this.checkpointEvents = checkpointEvents;
    }

    /// A recorder like this one with another number of events between two checkpoints.
    public Recorder withCheckpointEvery(long events) {
        return new Recorder(journal, program, clock, events);
    }

    /// Records one execution from its beginning.
    ///
    /// @param goOn asked before each step; once false, the session ends as torn
    /// @param progress told now and then how many events there are
    public Recorded record(Plan plan, Driver driver, BooleanSupplier goOn, LongConsumer progress) {
        Map<Digest, byte[]> blobs = new TreeMap<>((a, b) -> a.toString().compareTo(b.toString()));
        SessionHeader header = header(plan, blobs);
        Ingredients ingredients = plan.ingredients();
        try (SessionWriter writer = journal.create(header, blobs)) {
            Recording recording = new Recording(header, writer, journal.framing(), clock, progress);
            recording.checkpointEvery(checkpointEvents);
            Machines machines = ingredients.machines(ingredients.policy());
            Execution execution = machines.execution(driver.world(), recording);
            recording.of(execution, costs(machines.platform()));
            boolean[] stopped = new boolean[1];
            try {
                driver.drive(
                        execution,
                        () -> {
                            stopped[0] = !goOn.getAsBoolean();
                            return !stopped[0];
                        });
            } catch (BrokenInvariant e) {
                recording.finish("broken invariant: " + e.getMessage());
                throw new BrokenInvariant(
                        "%s (session %s, seed %d, after event %d)"
                                .formatted(
                                        e.getMessage(),
                                        header.session(),
                                        ingredients.seed(),
                                        execution.machine().order()),
                        e);
            }
            return recording.finish(stopped[0] ? "interrupted" : "");
        }
    }

    private static EventCosts costs(Platform platform) {
        CostProfile profile =
                CostProfile.find(platform.description().costs(), _ -> Optional.empty());
        return new EventCosts(profile, platform.vendor());
    }

    private SessionHeader header(Plan plan, Map<Digest, byte[]> blobs) {
        Ingredients ingredients = plan.ingredients();
        List<BlobRef> refs = new ArrayList<>();
        refs.add(blob("guest", ingredients.guestText(), blobs));
        refs.add(blob("platform", ingredients.platformText(), blobs));
        refs.add(blob("vcpu-model", ingredients.modelText(), blobs));
        refs.add(blob("policy", ingredients.policyText(), blobs));
        GuestKind kind =
                switch (ingredients.guestKind()) {
                    case SCENARIO -> GuestKind.SCENARIO;
                    case MSR_LOG -> GuestKind.MSR_LOG;
                    case TRACE -> GuestKind.TRACE;
                };
        int pcpus = ingredients.machines(ingredients.policy()).pcpus();
        return new SessionHeader(
                SessionIds.next(clock.millis(), new SecureRandom()),
                clock.millis(),
                new Versions(program, Ingredients.MODEL_VERSION),
                new Guest(kind, ingredients.guestName(), ingredients.seed()),
                new Machine(plan.platform(), ingredients.vcpus(), pcpus),
                plan.policy(),
                plan.parent(),
                refs);
    }

    private static BlobRef blob(String role, String text, Map<Digest, byte[]> blobs) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        Digest digest = Digest.of(bytes);
        blobs.put(digest, bytes);
        return new BlobRef(role, digest, bytes.length);
    }
}

package trapline.replayer;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import trapline.engine.event.Envelope;
import trapline.engine.guest.GuestFile;
import trapline.engine.policy.Policy;
import trapline.engine.sim.Ingredients;
import trapline.engine.sim.Machines;
import trapline.engine.state.MachineConfig;
import trapline.engine.state.MachineState;
import trapline.engine.state.Vendor;
import trapline.journal.Journal;
import trapline.journal.SessionReader;
import trapline.journal.SessionReader.Place;
import trapline.journal.SessionReader.RecordHandler;
import trapline.replayer.ReplayException.Kind;
import trapline.schemas.BlobRef;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.Checkpoint;
import trapline.schemas.CheckpointRef;
import trapline.schemas.EventDecoder;
import trapline.schemas.SessionHeader;
import trapline.schemas.SessionHeader.GuestKind;
import trapline.schemas.SessionHeader.Machine;
import trapline.schemas.StateCodec;
import trapline.schemas.WireException;

/// One recorded session, open for reading.
public final class Session implements AutoCloseable {

    private final SessionReader reader;
    private final SessionHeader header;
    private final Ingredients ingredients;
    private final Machines machines;
    private int seen = -1;

    private Session(SessionReader reader) {
        this.reader = reader;
        header = reader.entry().header();
        ingredients = imported() ? null : ingredients();
        machines = imported() ? null : ingredients.machines(ingredients.policy());
    }

    private Session(Session imported, SessionHeader header, Ingredients ingredients) {
        reader = imported.reader;
        this.header = header;
        this.ingredients = ingredients;
        machines = ingredients.machines(ingredients.policy());
    }

    /// Opens the session whose name begins so; `last` is the newest.
    public static Session open(Journal journal, String name) {
        SessionReader reader = journal.open(name);
        try {
            return new Session(reader);
        } catch (RuntimeException e) {
            reader.close();
            throw e;
        }
    }

    private Ingredients ingredients() {
        GuestFile.Kind kind =
                switch (header.guest().kind()) {
                    case SCENARIO -> GuestFile.Kind.SCENARIO;
                    case MSR_LOG -> GuestFile.Kind.MSR_LOG;
                    case TRACE -> GuestFile.Kind.TRACE;
                    case IMAGE ->
                            throw new ReplayException(
                                    Kind.NEWER,
                                    "",
                                    "session %s ran a guest of a kind this version does not know"
                                            .formatted(header.session()));
                };
        return new Ingredients(
                kind,
                header.guest().name(),
                blob("guest"),
                header.guest().seed(),
                header.machine().vcpus(),
                blob("platform"),
                blob("vcpu-model"),
                blob("policy"));
    }

    private String blob(String role) {
        BlobRef ref =
                header.blob(role)
                        .orElseThrow(() ->
                                new ReplayException(
                                        Kind.DAMAGED,
                                        "",
                                        "session %s: the header names no %s"
                                                .formatted(header.session(), role)));
        return new String(reader.blob(ref.sha256()), StandardCharsets.UTF_8);
    }

    public String name() {
        return header.session();
    }

    public SessionHeader header() {
        return header;
    }

    public CatalogueEntry entry() {
        return reader.entry();
    }

    public SessionReader reader() {
        return reader;
    }

    /// Whether it holds what a tracer saw on a real host, which no machine of ours made.
    public boolean imported() {
        return header.imported();
    }

    /// What the session was made of.
    public Ingredients parts() {
        return executed(ingredients);
    }

    /// The machine as recorded.
    public Machines machines() {
        return executed(machines);
    }

    public Policy policy() {
        return machines().policy();
    }

    /// Whose numbers the events have. What a tracer saw tells that for itself, event by event.
    public Vendor vendor() {
        return machines == null ? Vendor.VMX : machines.platform().vendor();
    }

    public MachineConfig config() {
        return machines().config();
    }

    /// This imported trace as the guest of a machine; it is closed with this one.
    ///
    /// @param cpu the host platform as its user named it
    /// @param policy likewise
    Session on(String cpu, String policy, Ingredients machine) {
        SessionHeader named =
                new SessionHeader(
                        header.session(),
                        header.createdMillis(),
                        header.versions(),
                        header.guest(),
                        new Machine(cpu, machine.vcpus(), machine.vcpus()),
                        policy,
                        header.parent(),
                        header.blobs());
        return new Session(this, named, machine);
    }

    /// The steps that its events tell.
    StepSource steps() {
        return imported() ? StepSource.observed(vcpus()) : StepSource.recorded(fromLog());
    }

    private <T> T executed(T made) {
        if (made == null) {
            throw new ReplayException(
                    Kind.NOT_APPLICABLE,
                    "",
                    "session %s is an imported trace, which no policy of ours made; name one: 'record --guest %s --policy POLICY' executes it"
                            .formatted(name(), name()));
        }
        return made;
    }

    /// How many vCPUs; of a trace, whose vCPUs show themselves one by one, those seen to its end.
    public int vcpus() {
        int told = entry().vcpus();
        return imported() && entry().closing().isEmpty() ? Math.max(told, seen()) : told;
    }

    /// Nobody has counted the vCPUs of a trace that did not come to its end.
    private int seen() {
        if (seen < 0) {
            int[] most = new int[1];
            events((envelope, _) -> {
                most[0] = Math.max(most[0], envelope.stamp().vcpu() + 1);
                return true;
            });
            seen = most[0];
        }
        return seen;
    }

    /// What somebody is told who asks for a vCPU that it has not.
    public ReplayException noVcpu(int vcpu) {
        return new ReplayException(
                Kind.NO_SUCH_PLACE,
                "",
                vcpus() == 1
                        ? "session %s has only vCPU 0, not %d".formatted(name(), vcpu)
                        : "session %s has vCPUs 0 to %d, not %d"
                                .formatted(name(), vcpus() - 1, vcpu));
    }

    /// Whether the guest is a log or a trace, whose values stand.
    public boolean fromLog() {
        return header.guest().kind() == GuestKind.MSR_LOG
                || header.guest().kind() == GuestKind.TRACE;
    }

    /// Whether this program's model made the session, so that it must come out again.
    public boolean sameModel() {
        return header.versions().model() == Ingredients.MODEL_VERSION;
    }

    /// Where its events are: a partition or a file.
    public String place() {
        return reader.place();
    }

    /// Every event from the first on.
    public void events(EventHandler handler) {
        events(Optional.empty(), handler);
    }

    /// Every event, or every one after a checkpoint's.
    public void events(Optional<CheckpointRef> after, EventHandler handler) {
        read(after.orElse(null), decoder(after), handler);
    }

    /// Every event after a checkpoint's.
    public void eventsAfter(CheckpointRef ref, Checkpoint checkpoint, EventHandler handler) {
        EventDecoder decoder = new EventDecoder(reader.writers());
        decoder.startAfter(checkpoint.order(), checkpoint.chain());
        read(ref, decoder, handler);
    }

    /// Every event after a checkpoint's, or from the first on, by a decoder that stands there.
    void read(CheckpointRef from, EventDecoder decoder, EventHandler handler) {
        reader.read(from, decoding(decoder, handler));
    }

    /// Every event, or every one after a checkpoint's, and then those that are still recorded, until
    /// the session has ended, the handler wants no more or the thread is interrupted.
    public void follow(Optional<CheckpointRef> after, EventHandler handler) {
        reader.follow(after.orElse(null), decoding(decoder(after), handler));
    }

    /// A decoder that stands at the beginning, or behind a checkpoint.
    private EventDecoder decoder(Optional<CheckpointRef> after) {
        EventDecoder decoder = new EventDecoder(reader.writers());
        after.map(reader::checkpoint)
                .ifPresent(
                        checkpoint -> decoder.startAfter(checkpoint.order(), checkpoint.chain()));
        return decoder;
    }

    private static RecordHandler decoding(EventDecoder decoder, EventHandler handler) {
        return (bytes, offset, length, place) ->
                handler.event(decode(decoder, bytes, offset, length, place), place);
    }

    private static Envelope decode(
            EventDecoder decoder, byte[] bytes, int offset, int length, Place place) {
        try {
            return decoder.decode(bytes, offset, length);
        } catch (WireException e) {
            throw damaged(e, place.describe());
        }
    }

    static ReplayException damaged(WireException e, String place) {
        Kind kind = e.kind() == WireException.Kind.UNKNOWN_SCHEMA ? Kind.NEWER : Kind.DAMAGED;
        return new ReplayException(kind, place, e.getMessage());
    }

    /// A checkpoint as the log has it.
    public Checkpoint checkpoint(CheckpointRef ref) {
        return reader.checkpoint(ref);
    }

    /// The last checkpoint at or before an event, if it is one that this program can use.
    public Optional<CheckpointRef> checkpointBefore(long order) {
        return sameModel() ? reader.checkpointBefore(order) : Optional.empty();
    }

    Optional<CheckpointRef> checkpointBefore(int vcpu, long seq) {
        return sameModel() ? reader.checkpointBefore(vcpu, seq) : Optional.empty();
    }

    /// The state that a checkpoint holds.
    public MachineState restore(Checkpoint checkpoint) {
        try {
            return StateCodec.decode(checkpoint.state(), config());
        } catch (WireException e) {
            throw damaged(e, "checkpoint at event " + checkpoint.order());
        }
    }

    @Override
    public void close() {
        reader.close();
    }

    /// Receives events in order.
    public interface EventHandler {

        /// @return whether to go on
        boolean event(Envelope envelope, Place place);
    }
}

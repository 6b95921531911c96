package trapline.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent.VmcsFieldWritten;
import trapline.engine.event.Outcome;
import trapline.engine.event.Stamp;
import trapline.engine.event.Writes;
import trapline.engine.state.Vendor;
import trapline.schemas.BlobRef;
import trapline.schemas.Checkpoint;
import trapline.schemas.CheckpointRef;
import trapline.schemas.ClosingRecord;
import trapline.schemas.Digest;
import trapline.schemas.EventDecoder;
import trapline.schemas.EventEncoder;
import trapline.schemas.ExitObserved;
import trapline.schemas.SessionHeader;

/// A session whose events follow from its name, so that whoever reads one knows what must be there.
final class SampleSession {

    static final int VCPUS = 2;

    /// An array of no state sections.
    private static final byte[] EMPTY_STATE = {0};

    private final String name;
    private final Map<Digest, byte[]> blobs = new LinkedHashMap<>();
    private final List<BlobRef> refs = new ArrayList<>();
    private EventEncoder encoder;
    private long appended;

    SampleSession(String name) {
        this.name = name;
    }

    SampleSession withBlob(String role, byte[] content) {
        Digest sha256 = Digest.of(content);
        blobs.put(sha256, content);
        refs.add(new BlobRef(role, sha256, content.length));
        return this;
    }

    SessionHeader header() {
        return new SessionHeader(
                name,
                System.currentTimeMillis(),
                new SessionHeader.Versions("test", 1),
                new SessionHeader.Guest(SessionHeader.GuestKind.SCENARIO, "sample", 7),
                new SessionHeader.Machine("Icelake-Server", VCPUS, VCPUS),
                "kvm-6.12",
                Optional.empty(),
                List.copyOf(refs));
    }

    SessionWriter create(Journal journal) {
        encoder = new EventEncoder(journal.framing());
        appended = 0;
        return journal.create(header(), blobs);
    }

    /// Appends the next events, with a checkpoint after every so many; 0 for none.
    void append(SessionWriter writer, long count, long checkpointEvery) {
        for (long i = 0; i < count; i++) {
            writer.append(encoder.encode(event(++appended)));
            if (checkpointEvery > 0 && appended % checkpointEvery == 0) {
                writer.checkpoint(checkpoint());
            }
        }
    }

    Checkpoint checkpoint() {
        return new Checkpoint(
                name, appended, seqs(appended), seqs(appended), 0, encoder.chain(), 1, EMPTY_STATE);
    }

    ClosingRecord closing(String reason) {
        return new ClosingRecord(
                appended,
                seqs(appended),
                appended / 4,
                Digest.of(EMPTY_STATE),
                encoder == null ? 0 : encoder.chain(),
                0,
                reason);
    }

    ExitObserved exit(int number) {
        return new ExitObserved(
                name,
                new Stamp(number, 0, 0, 0, Stamp.Scope.VCPU, number, number, 0),
                1,
                new ExitObserved.Reason(Vendor.VMX, 32, "MSR_WRITE", 0),
                0xffffffff81000000L,
                new ExitObserved.Subject(Optional.of(0x6e0), Optional.of(true), Optional.empty()),
                new ExitObserved.Effort(false, 10, 3, 0, 1, true),
                number,
                ExitObserved.Took.cycles(1_800));
    }

    /// Records a whole session.
    void record(Journal journal, long events, long checkpointEvery) {
        try (SessionWriter writer = create(journal)) {
            append(writer, events, checkpointEvery);
            writer.finish(closing(""));
        }
    }

    /// The last sequence number of each vCPU after so many events: they take turns.
    static long[] seqs(long events) {
        return new long[] {(events + 1) / 2, events / 2};
    }

    Envelope event(long order) {
        int vcpu = (int) ((order + 1) % 2);
        Stamp stamp =
                new Stamp(
                        order,
                        vcpu,
                        (order + 1) / 2,
                        vcpu,
                        Stamp.Scope.VCPU,
                        order * 311,
                        order / 4,
                        order % 4 == 0 ? 0 : order - 1);
        return new Envelope(stamp, what(order));
    }

    private Event what(long order) {
        Random random = new Random(name.hashCode() * 31L + order);
        long value = random.nextLong();
        return switch ((int) (order % 4)) {
            case 0 -> new MsrWritten(0xffffffff81000000L, 0x6e0, value, Outcome.DONE);
            case 1 ->
                    new VmExited(
                            1,
                            32,
                            0,
                            0,
                            0,
                            0,
                            Writes.of(new int[] {0x4402, 0x681e}, new long[] {32, value}));
            case 2 -> new VmcsFieldWritten(1, 0x681e, value, value + 2);
            default -> new VmEntered(1, Writes.NONE);
        };
    }

    /// Reads from a place on and checks every event; how many there were in all up to the end.
    long verify(SessionReader reader, CheckpointRef from) {
        EventDecoder decoder = new EventDecoder(reader.writers());
        if (from != null) {
            Checkpoint checkpoint = reader.checkpoint(from);
            decoder.startAfter(checkpoint.order(), checkpoint.chain());
        }
        reader.read(
                from,
                (bytes, offset, length, place) -> {
                    Envelope found = decoder.decode(bytes, offset, length);
                    assertEquals(event(decoder.order()), found, place::describe);
                    return true;
                });
        return decoder.order();
    }

    long verify(Journal journal) {
        try (SessionReader reader = journal.open(name)) {
            return verify(reader, null);
        }
    }
}

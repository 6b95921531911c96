package trapline.schemas;

import java.util.List;
import java.util.Optional;

/// All that re-execution of a session needs; long texts by their hash.
public record SessionHeader(
        String session,
        long createdMillis,
        Versions versions,
        Guest guest,
        Machine machine,
        String policy,
        Optional<String> parent,
        List<BlobRef> blobs) {

    /// @param program the program that recorded
    /// @param model the model that executed
    public record Versions(String program, int model) {}

    public enum GuestKind {
        SCENARIO,
        MSR_LOG,
        TRACE,
        IMAGE
    }

    public record Guest(GuestKind kind, String name, long seed) {}

    /// @param platform the host platform's name
    public record Machine(String platform, int vcpus, int pcpus) {}

    private static final GuestKind[] KINDS = GuestKind.values();

    public Optional<BlobRef> blob(String role) {
        return blobs.stream().filter(ref -> ref.role().equals(role)).findFirst();
    }

    /// Whether the session holds what a tracer saw on a real host, which no machine of ours made.
    public boolean imported() {
        return guest.kind() == GuestKind.TRACE && blob("policy").isEmpty();
    }

    static void write(SessionHeader header, AvroWriter out) {
        out.writeString(header.session());
        out.writeLong(header.createdMillis());
        out.writeString(header.versions().program());
        out.writeInt(header.versions().model());
        out.writeEnum(header.guest().kind());
        out.writeString(header.guest().name());
        out.writeLong(header.guest().seed());
        out.writeInt(header.machine().vcpus());
        out.writeInt(header.machine().pcpus());
        out.writeString(header.machine().platform());
        out.writeString(header.policy());
        Codec.writeOptional(header.parent().orElse(null), out, (text, o) -> o.writeString(text));
        Codec.writeArray(header.blobs(), out, BlobRef::write);
    }

    static SessionHeader read(AvroReader in) {
        String session = in.readString();
        long createdMillis = in.readLong();
        Versions versions = new Versions(in.readString(), in.readInt());
        Guest guest = new Guest(in.readEnum(KINDS), in.readString(), in.readLong());
        int vcpus = in.readInt();
        int pcpus = in.readInt();
        Machine machine = new Machine(in.readString(), vcpus, pcpus);
        String policy = in.readString();
        String parent = Codec.readOptional(in, AvroReader::readString);
        return new SessionHeader(
                session,
                createdMillis,
                versions,
                guest,
                machine,
                policy,
                Optional.ofNullable(parent),
                Codec.readArray(in, BlobRef::read));
    }
}

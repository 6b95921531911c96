package trapline.schemas;

/// A text or binary that a session needs, kept apart under its content hash.
///
/// @param role what for: `guest`, `platform`, `vcpu-model`, `policy`
public record BlobRef(String role, Digest sha256, long length) {

    static void write(BlobRef ref, AvroWriter out) {
        out.writeString(ref.role());
        out.writeFixed(ref.sha256().bytes());
        out.writeLong(ref.length());
    }

    static BlobRef read(AvroReader in) {
        return new BlobRef(in.readString(), Digest.from(in.readFixed(32)), in.readLong());
    }
}

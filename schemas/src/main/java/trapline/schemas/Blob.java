package trapline.schemas;

/// A piece of a text or binary: of all pieces in order, the hash is its key.
public record Blob(Digest sha256, int index, int count, byte[] data) {

    /// The most bytes that one piece has.
    public static final int PIECE = 512 * 1024;

    public static final Codec<Blob> CODEC = new Codec<>("Blob", Blob::write, Blob::read);

    private static void write(Blob blob, AvroWriter out) {
        out.writeFixed(blob.sha256().bytes());
        out.writeInt(blob.index());
        out.writeInt(blob.count());
        out.writeBytes(blob.data());
    }

    private static Blob read(AvroReader in) {
        return new Blob(Digest.from(in.readFixed(32)), in.readInt(), in.readInt(), in.readBytes());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Blob that
                && sha256.equals(that.sha256)
                && index == that.index
                && count == that.count
                && java.util.Arrays.equals(data, that.data);
    }

    @Override
    public int hashCode() {
        return sha256.hashCode();
    }
}

package trapline.schemas;

import java.util.Arrays;

/// The exact state after an event.
///
/// @param order the last event included
/// @param seqs the last sequence number of each vCPU
/// @param ticks the tick of each vCPU
/// @param eventOffset offset of that event in its partition; its ordinal in a file
/// @param chain the CRC of that event's record
/// @param state the state's encoding, see [StateCodec]
public record Checkpoint(
        String session,
        long order,
        long[] seqs,
        long[] ticks,
        long eventOffset,
        int chain,
        int modelVersion,
        byte[] state) {

    public static final Codec<Checkpoint> CODEC =
            new Codec<>("Checkpoint", Checkpoint::write, Checkpoint::read);

    public Digest digest() {
        return Digest.of(state);
    }

    private static void write(Checkpoint checkpoint, AvroWriter out) {
        out.writeString(checkpoint.session());
        out.writeLong(checkpoint.order());
        out.writeLongs(checkpoint.seqs());
        out.writeLongs(checkpoint.ticks());
        out.writeLong(checkpoint.eventOffset());
        out.writeCrc(checkpoint.chain());
        out.writeInt(checkpoint.modelVersion());
        out.writeFixed(checkpoint.state());
        out.writeFixed(checkpoint.digest().bytes());
    }

    private static Checkpoint read(AvroReader in) {
        Checkpoint checkpoint =
                new Checkpoint(
                        in.readString(),
                        in.readLong(),
                        in.readLongs(),
                        in.readLongs(),
                        in.readLong(),
                        in.readCrc(),
                        in.readInt(),
                        in.readRaw(StateCodec::pass));
        Digest stored = Digest.from(in.readFixed(32));
        if (!stored.equals(checkpoint.digest())) {
            throw in.damaged("the digest of the state");
        }
        return checkpoint;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Checkpoint that
                && session.equals(that.session)
                && order == that.order
                && Arrays.equals(seqs, that.seqs)
                && Arrays.equals(ticks, that.ticks)
                && eventOffset == that.eventOffset
                && chain == that.chain
                && modelVersion == that.modelVersion
                && Arrays.equals(state, that.state);
    }

    @Override
    public int hashCode() {
        return Long.hashCode(order);
    }
}

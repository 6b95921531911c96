package trapline.schemas;

import java.util.Arrays;

/// Where a checkpoint is and what it stands for.
///
/// @param order the last event it includes
/// @param seqs the last sequence number of each vCPU
/// @param ticks the tick of each vCPU
/// @param eventOffset offset of that event in its partition; its ordinal in a file
/// @param partition of the checkpoints topic
/// @param offset of the checkpoint there; its byte position in a file
public record CheckpointRef(
        long order, long[] seqs, long[] ticks, long eventOffset, int partition, long offset) {

    static void write(CheckpointRef ref, AvroWriter out) {
        out.writeLong(ref.order());
        out.writeLongs(ref.seqs());
        out.writeLongs(ref.ticks());
        out.writeLong(ref.eventOffset());
        out.writeInt(ref.partition());
        out.writeLong(ref.offset());
    }

    static CheckpointRef read(AvroReader in) {
        return new CheckpointRef(
                in.readLong(),
                in.readLongs(),
                in.readLongs(),
                in.readLong(),
                in.readInt(),
                in.readLong());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CheckpointRef that
                && order == that.order
                && Arrays.equals(seqs, that.seqs)
                && Arrays.equals(ticks, that.ticks)
                && eventOffset == that.eventOffset
                && partition == that.partition
                && offset == that.offset;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(order);
    }
}

package trapline.schemas;

import java.util.Arrays;

/// How a session ended.
///
/// @param digest of the final state
/// @param chain the CRC of the last event's record
/// @param reason empty where the guest came to its end, else why recording stopped
public record ClosingRecord(
        long events,
        long[] vcpuEvents,
        long guestOps,
        Digest digest,
        int chain,
        int checkpoints,
        String reason) {

    static void write(ClosingRecord closing, AvroWriter out) {
        out.writeLong(closing.events());
        out.writeLongs(closing.vcpuEvents());
        out.writeLong(closing.guestOps());
        out.writeFixed(closing.digest().bytes());
        out.writeCrc(closing.chain());
        out.writeInt(closing.checkpoints());
        out.writeString(closing.reason());
    }

    static ClosingRecord read(AvroReader in) {
        return new ClosingRecord(
                in.readLong(),
                in.readLongs(),
                in.readLong(),
                Digest.from(in.readFixed(32)),
                in.readCrc(),
                in.readInt(),
                in.readString());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ClosingRecord that
                && events == that.events
                && Arrays.equals(vcpuEvents, that.vcpuEvents)
                && guestOps == that.guestOps
                && digest.equals(that.digest)
                && chain == that.chain
                && checkpoints == that.checkpoints
                && reason.equals(that.reason);
    }

    @Override
    public int hashCode() {
        return digest.hashCode();
    }
}

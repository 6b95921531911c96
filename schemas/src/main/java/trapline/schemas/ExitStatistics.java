package trapline.schemas;

import java.util.List;

/// Exits of one session and vCPU in one second of recording.
public record ExitStatistics(
        String session, int vcpu, long secondMillis, long exits, List<ReasonCount> byReason) {

    /// @param reason exit reason or code
    public record ReasonCount(long reason, String reasonName, long count) {

        static void write(ReasonCount row, AvroWriter out) {
            out.writeLong(row.reason());
            out.writeString(row.reasonName());
            out.writeLong(row.count());
        }

        static ReasonCount read(AvroReader in) {
            return new ReasonCount(in.readLong(), in.readString(), in.readLong());
        }
    }

    public static final Codec<ExitStatistics> CODEC =
            new Codec<>("ExitStatistics", ExitStatistics::write, ExitStatistics::read);

    private static void write(ExitStatistics statistics, AvroWriter out) {
        out.writeString(statistics.session());
        out.writeInt(statistics.vcpu());
        out.writeLong(statistics.secondMillis());
        out.writeLong(statistics.exits());
        Codec.writeArray(statistics.byReason(), out, ReasonCount::write);
    }

    private static ExitStatistics read(AvroReader in) {
        return new ExitStatistics(
                in.readString(),
                in.readInt(),
                in.readLong(),
                in.readLong(),
                Codec.readArray(in, ReasonCount::read));
    }
}

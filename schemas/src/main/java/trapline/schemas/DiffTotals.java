package trapline.schemas;

import java.util.List;

/// What one side of a diff counted, as far as sums over many sessions go.
///
/// @param policy as its user wrote it
/// @param violations of safety rules, by rule
public record DiffTotals(
        String policy,
        long guestOps,
        long exits,
        List<NamedCount> byReason,
        double cyclesLow,
        double cyclesTypical,
        double cyclesHigh,
        List<NamedCount> violations) {

    /// How often something of that name was counted.
    public record NamedCount(String name, long count) {

        private static void write(NamedCount row, AvroWriter out) {
            out.writeString(row.name());
            out.writeLong(row.count());
        }

        private static NamedCount read(AvroReader in) {
            return new NamedCount(in.readString(), in.readLong());
        }
    }

    static void write(DiffTotals totals, AvroWriter out) {
        out.writeString(totals.policy());
        out.writeLong(totals.guestOps());
        out.writeLong(totals.exits());
        Codec.writeArray(totals.byReason(), out, NamedCount::write);
        out.writeDouble(totals.cyclesLow());
        out.writeDouble(totals.cyclesTypical());
        out.writeDouble(totals.cyclesHigh());
        Codec.writeArray(totals.violations(), out, NamedCount::write);
    }

    static DiffTotals read(AvroReader in) {
        return new DiffTotals(
                in.readString(),
                in.readLong(),
                in.readLong(),
                Codec.readArray(in, NamedCount::read),
                in.readDouble(),
                in.readDouble(),
                in.readDouble(),
                Codec.readArray(in, NamedCount::read));
    }
}

package trapline.schemas;

import java.util.Optional;

/// One session as the catalogue knows it.
///
/// @param heartbeatMillis when the recorder last said so
/// @param partition of the events topic; -1 in a file
/// @param firstOffset at or before the first event
/// @param acknowledged events acknowledged when this was written
/// @param pages how many checkpoint pages there are
public record CatalogueEntry(
        SessionHeader header,
        Status status,
        long heartbeatMillis,
        int partition,
        long firstOffset,
        long acknowledged,
        int pages,
        Optional<ClosingRecord> closing) {

    public enum Status {
        OPEN,
        CLOSED,
        TORN
    }

    /// How many vCPUs; of a trace, whose vCPUs show themselves one by one, those seen to its end.
    public int vcpus() {
        int begun = header.machine().vcpus();
        return closing.map(ended -> Math.max(begun, ended.vcpuEvents().length)).orElse(begun);
    }

    private static final Status[] STATUSES = Status.values();

    public static final Codec<CatalogueEntry> CODEC =
            new Codec<>("CatalogueEntry", CatalogueEntry::write, CatalogueEntry::read);

    private static void write(CatalogueEntry entry, AvroWriter out) {
        SessionHeader.write(entry.header(), out);
        out.writeEnum(entry.status());
        out.writeLong(entry.heartbeatMillis());
        out.writeInt(entry.partition());
        out.writeLong(entry.firstOffset());
        out.writeLong(entry.acknowledged());
        out.writeInt(entry.pages());
        Codec.writeOptional(entry.closing().orElse(null), out, ClosingRecord::write);
    }

    private static CatalogueEntry read(AvroReader in) {
        return new CatalogueEntry(
                SessionHeader.read(in),
                in.readEnum(STATUSES),
                in.readLong(),
                in.readInt(),
                in.readLong(),
                in.readLong(),
                in.readInt(),
                Optional.ofNullable(Codec.readOptional(in, ClosingRecord::read)));
    }
}

package trapline.schemas;

import java.util.Optional;

/// What became of one session of a run.
///
/// @param error why there is no result; empty where there is one
/// @param events of the session
/// @param base empty where there is no result
/// @param candidate likewise
/// @param parts whether the events of the two part at all
/// @param guestVisible whether the guest could tell the two apart
/// @param document what `diff` prints as JSON; empty where that was too large for a record
public record FleetResult(
        String run,
        String session,
        FleetState state,
        String error,
        long endedMillis,
        long tookMillis,
        long events,
        Optional<DiffTotals> base,
        Optional<DiffTotals> candidate,
        boolean parts,
        boolean guestVisible,
        String document) {

    /// How a task ended.
    public enum FleetState {
        DONE,
        FAILED
    }

    private static final FleetState[] STATES = FleetState.values();

    public static final Codec<FleetResult> CODEC =
            new Codec<>("FleetResult", FleetResult::write, FleetResult::read);

    private static void write(FleetResult result, AvroWriter out) {
        out.writeString(result.run());
        out.writeString(result.session());
        out.writeEnum(result.state());
        out.writeString(result.error());
        out.writeLong(result.endedMillis());
        out.writeLong(result.tookMillis());
        out.writeLong(result.events());
        Codec.writeOptional(result.base().orElse(null), out, DiffTotals::write);
        Codec.writeOptional(result.candidate().orElse(null), out, DiffTotals::write);
        out.writeBoolean(result.parts());
        out.writeBoolean(result.guestVisible());
        out.writeString(result.document());
    }

    private static FleetResult read(AvroReader in) {
        return new FleetResult(
                in.readString(),
                in.readString(),
                in.readEnum(STATES),
                in.readString(),
                in.readLong(),
                in.readLong(),
                in.readLong(),
                Optional.ofNullable(Codec.readOptional(in, DiffTotals::read)),
                Optional.ofNullable(Codec.readOptional(in, DiffTotals::read)),
                in.readBoolean(),
                in.readBoolean(),
                in.readString());
    }
}

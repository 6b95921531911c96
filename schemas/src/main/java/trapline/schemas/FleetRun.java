package trapline.schemas;

import java.util.Optional;

/// One submission of a candidate policy over many sessions, as each partition of its tasks is told
/// first.
///
/// Policies and costs are whole texts, so that a worker needs no files.
///
/// @param sessions the pattern that sessions had to match
/// @param base empty for the policy that each session recorded
/// @param candidateHash of the candidate's text
/// @param costs empty for each platform's own
/// @param tasks how many the run has in this partition
/// @param total how many it has in all
public record FleetRun(
        String run,
        long createdMillis,
        String sessions,
        Optional<String> base,
        String candidate,
        Digest candidateHash,
        Optional<String> costs,
        Optional<String> costsName,
        int tasks,
        int total) {

    public static final Codec<FleetRun> CODEC =
            new Codec<>("FleetRun", FleetRun::write, FleetRun::read);

    public FleetRun withTasks(int count) {
        return new FleetRun(
                run,
                createdMillis,
                sessions,
                base,
                candidate,
                candidateHash,
                costs,
                costsName,
                count,
                total);
    }

    private static void write(FleetRun run, AvroWriter out) {
        out.writeString(run.run());
        out.writeLong(run.createdMillis());
        out.writeString(run.sessions());
        Codec.writeOptional(run.base().orElse(null), out, (text, o) -> o.writeString(text));
        out.writeString(run.candidate());
        out.writeFixed(run.candidateHash().bytes());
        Codec.writeOptional(run.costs().orElse(null), out, (text, o) -> o.writeString(text));
        Codec.writeOptional(run.costsName().orElse(null), out, (text, o) -> o.writeString(text));
        out.writeInt(run.tasks());
        out.writeInt(run.total());
    }

    private static FleetRun read(AvroReader in) {
        return new FleetRun(
                in.readString(),
                in.readLong(),
                in.readString(),
                Optional.ofNullable(Codec.readOptional(in, AvroReader::readString)),
                in.readString(),
                Digest.from(in.readFixed(32)),
                Optional.ofNullable(Codec.readOptional(in, AvroReader::readString)),
                Optional.ofNullable(Codec.readOptional(in, AvroReader::readString)),
                in.readInt(),
                in.readInt());
    }
}

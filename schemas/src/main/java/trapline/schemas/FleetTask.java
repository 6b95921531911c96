package trapline.schemas;

/// One session of a run, to be evaluated.
///
/// @param events how many it has, as far as known when it was submitted
/// @param starts how often a worker has started it without having given it back since
public record FleetTask(String run, String session, long events, int starts) {

    public static final Codec<FleetTask> CODEC =
            new Codec<>("FleetTask", FleetTask::write, FleetTask::read);

    public FleetTask startedTimes(int times) {
        return new FleetTask(run, session, events, times);
    }

    private static void write(FleetTask task, AvroWriter out) {
        out.writeString(task.run());
        out.writeString(task.session());
        out.writeLong(task.events());
        out.writeInt(task.starts());
    }

    private static FleetTask read(AvroReader in) {
        return new FleetTask(in.readString(), in.readString(), in.readLong(), in.readInt());
    }
}

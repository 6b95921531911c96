package trapline.schemas;

import trapline.engine.event.Stamp;
import trapline.engine.event.Stamp.Scope;

/// A safety rule that was broken while a session was recorded, for dashboards.
///
/// @param stamp of the event; its pCPU, scope and cause are not in the record
/// @param rule its name
/// @param times how often that was found since the last such record
public record ViolationObserved(
        String session, Stamp stamp, String rule, String message, long times, long recordedMillis) {

    public static final Codec<ViolationObserved> CODEC =
            new Codec<>("ViolationObserved", ViolationObserved::write, ViolationObserved::read);

    private static void write(ViolationObserved found, AvroWriter out) {
        out.writeString(found.session());
        out.writeLong(found.stamp().order());
        out.writeInt(found.stamp().vcpu());
        out.writeLong(found.stamp().seq());
        out.writeLong(found.stamp().tick());
        out.writeLong(found.stamp().op());
        out.writeString(found.rule());
        out.writeString(found.message());
        out.writeLong(found.times());
        out.writeLong(found.recordedMillis());
    }

    private static ViolationObserved read(AvroReader in) {
        String session = in.readString();
        long order = in.readLong();
        int vcpu = in.readInt();
        long seq = in.readLong();
        long tick = in.readLong();
        long op = in.readLong();
        return new ViolationObserved(
                session,
                new Stamp(order, vcpu, seq, 0, Scope.VCPU, tick, op, 0),
                in.readString(),
                in.readString(),
                in.readLong(),
                in.readLong());
    }
}

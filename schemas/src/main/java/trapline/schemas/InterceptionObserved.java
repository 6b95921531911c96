package trapline.schemas;

import trapline.engine.event.Stamp;
import trapline.engine.event.Stamp.Scope;

/// A change of which accesses to an MSR exit, for dashboards.
///
/// @param stamp of the event; its pCPU, scope and cause are not in the record
/// @param bitmap 1 for 01's, while L1 runs, 2 for 02's, while L2 does
/// @param read whether reads exit from now on
/// @param write whether writes do
public record InterceptionObserved(
        String session,
        Stamp stamp,
        int bitmap,
        int msr,
        boolean read,
        boolean write,
        long recordedMillis) {

    public static final Codec<InterceptionObserved> CODEC =
            new Codec<>(
                    "InterceptionObserved",
                    InterceptionObserved::write,
                    InterceptionObserved::read);

    private static void write(InterceptionObserved found, AvroWriter out) {
        out.writeString(found.session());
        out.writeLong(found.stamp().order());
        out.writeInt(found.stamp().vcpu());
        out.writeLong(found.stamp().seq());
        out.writeLong(found.stamp().tick());
        out.writeLong(found.stamp().op());
        out.writeInt(found.bitmap());
        out.writeUnsigned(found.msr());
        out.writeBoolean(found.read());
        out.writeBoolean(found.write());
        out.writeLong(found.recordedMillis());
    }

    private static InterceptionObserved read(AvroReader in) {
        String session = in.readString();
        long order = in.readLong();
        int vcpu = in.readInt();
        long seq = in.readLong();
        long tick = in.readLong();
        long op = in.readLong();
        return new InterceptionObserved(
                session,
                new Stamp(order, vcpu, seq, 0, Scope.VCPU, tick, op, 0),
                in.readInt(),
                in.readUnsigned(),
                in.readBoolean(),
                in.readBoolean(),
                in.readLong());
    }
}

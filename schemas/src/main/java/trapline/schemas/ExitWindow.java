package trapline.schemas;

import java.util.List;
import trapline.schemas.ExitStatistics.ReasonCount;

/// All exits of one session and vCPU in one window of recording time, so far.
///
/// @param byReason their sum is `exits`
/// @param byMsr of those exits that were an access to one
/// @param otherMsrs accesses for which `byMsr` had no room
public record ExitWindow(
        String session,
        int vcpu,
        long beginMillis,
        long sizeMillis,
        long exits,
        long reflected,
        long mutations,
        long hostMsrReads,
        long hostMsrWrites,
        List<ReasonCount> byReason,
        List<MsrCount> byMsr,
        long otherMsrs) {

    /// How often an MSR was accessed by an exit.
    public record MsrCount(int msr, boolean write, long count) {

        private static void write(MsrCount row, AvroWriter out) {
            out.writeUnsigned(row.msr());
            out.writeBoolean(row.write());
            out.writeLong(row.count());
        }

        private static MsrCount read(AvroReader in) {
            return new MsrCount(in.readUnsigned(), in.readBoolean(), in.readLong());
        }
    }

    public static final Codec<ExitWindow> CODEC =
            new Codec<>("ExitWindow", ExitWindow::write, ExitWindow::read);

    private static void write(ExitWindow window, AvroWriter out) {
        out.writeString(window.session());
        out.writeInt(window.vcpu());
        out.writeLong(window.beginMillis());
        out.writeLong(window.sizeMillis());
        out.writeLong(window.exits());
        out.writeLong(window.reflected());
        out.writeLong(window.mutations());
        out.writeLong(window.hostMsrReads());
        out.writeLong(window.hostMsrWrites());
        Codec.writeArray(window.byReason(), out, ReasonCount::write);
        Codec.writeArray(window.byMsr(), out, MsrCount::write);
        out.writeLong(window.otherMsrs());
    }

    private static ExitWindow read(AvroReader in) {
        return new ExitWindow(
                in.readString(),
                in.readInt(),
                in.readLong(),
                in.readLong(),
                in.readLong(),
                in.readLong(),
                in.readLong(),
                in.readLong(),
                in.readLong(),
                Codec.readArray(in, ReasonCount::read),
                Codec.readArray(in, MsrCount::read),
                in.readLong());
    }
}

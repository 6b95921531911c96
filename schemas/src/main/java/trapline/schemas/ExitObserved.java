package trapline.schemas;

import java.util.Optional;
import trapline.engine.event.Stamp;
import trapline.engine.event.Stamp.Scope;
import trapline.engine.state.Vendor;

/// One VM exit, for dashboards: all they need in one record.
///
/// @param stamp of the exit event; scope and cause are not in the record
/// @param effort what the hypervisor did until the next entry
public record ExitObserved(
        String session,
        Stamp stamp,
        int level,
        Reason reason,
        long rip,
        Subject subject,
        Effort effort,
        long recordedMillis) {

    /// @param number exit reason or code
    /// @param name as `kvm_exit` prints it
    public record Reason(Vendor vendor, long number, String name, long qualification) {}

    /// What the exit was about, as far as its reason has such a thing.
    public record Subject(Optional<Integer> msr, Optional<Boolean> write, Optional<Integer> port) {
        public static final Subject NONE =
                new Subject(Optional.empty(), Optional.empty(), Optional.empty());
    }

    /// From the exit to the next entry.
    ///
    /// @param reflected whether L1 got the exit
    /// @param events all events, exit and entry included
    /// @param mutations fields and intercepts that changed
    public record Effort(
            boolean reflected, int events, int mutations, int hostMsrReads, int hostMsrWrites) {}

    private static final Vendor[] VENDORS = Vendor.values();

    public static final Codec<ExitObserved> CODEC =
            new Codec<>("ExitObserved", ExitObserved::write, ExitObserved::read);

    private static void write(ExitObserved exit, AvroWriter out) {
        out.writeString(exit.session());
        out.writeLong(exit.stamp().order());
        out.writeInt(exit.stamp().vcpu());
        out.writeInt(exit.stamp().pcpu());
        out.writeLong(exit.stamp().tick());
        out.writeLong(exit.stamp().op());
        out.writeInt(exit.level());
        out.writeEnum(exit.reason().vendor());
        out.writeLong(exit.reason().number());
        out.writeString(exit.reason().name());
        out.writeLong(exit.reason().qualification());
        out.writeLong(exit.rip());
        Codec.writeOptional(exit.subject().msr().orElse(null), out, (n, o) -> o.writeUnsigned(n));
        Codec.writeOptional(exit.subject().write().orElse(null), out, (b, o) -> o.writeBoolean(b));
        Codec.writeOptional(exit.subject().port().orElse(null), out, (n, o) -> o.writeInt(n));
        out.writeBoolean(exit.effort().reflected());
        out.writeInt(exit.effort().events());
        out.writeInt(exit.effort().mutations());
        out.writeInt(exit.effort().hostMsrReads());
        out.writeInt(exit.effort().hostMsrWrites());
        out.writeLong(exit.recordedMillis());
    }

    private static ExitObserved read(AvroReader in) {
        String session = in.readString();
        long order = in.readLong();
        int vcpu = in.readInt();
        int pcpu = in.readInt();
        long tick = in.readLong();
        long op = in.readLong();
        return new ExitObserved(
                session,
                new Stamp(order, vcpu, 0, pcpu, Scope.VCPU, tick, op, 0),
                in.readInt(),
                new Reason(in.readEnum(VENDORS), in.readLong(), in.readString(), in.readLong()),
                in.readLong(),
                new Subject(
                        Optional.ofNullable(Codec.readOptional(in, AvroReader::readUnsigned)),
                        Optional.ofNullable(Codec.readOptional(in, AvroReader::readBoolean)),
                        Optional.ofNullable(Codec.readOptional(in, AvroReader::readInt))),
                new Effort(
                        in.readBoolean(), in.readInt(), in.readInt(), in.readInt(), in.readInt()),
                in.readLong());
    }
}

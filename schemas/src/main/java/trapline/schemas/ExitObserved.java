package trapline.schemas;

import java.util.Optional;
import trapline.engine.event.Stamp;
import trapline.engine.event.Stamp.Scope;
import trapline.engine.state.Vendor;

/// One VM exit, for dashboards: all they need in one record.
///
/// @param stamp of the exit event; scope and cause are not in the record
/// @param effort what the hypervisor did until the next entry
/// @param took how long that was
public record ExitObserved(
        String session,
        Stamp stamp,
        int level,
        Reason reason,
        long rip,
        Subject subject,
        Effort effort,
        long recordedMillis,
        Took took) {

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
    /// @param userspace whether the hypervisor returned to userspace
    public record Effort(
            boolean reflected,
            int events,
            int mutations,
            int hostMsrReads,
            int hostMsrWrites,
            boolean userspace) {}

    /// From the exit to the next entry, as far as anybody knows.
    ///
    /// @param nanos measured
    /// @param cycles typical by the platform's cost profile
    public record Took(Optional<Long> nanos, Optional<Long> cycles) {
        public static final Took UNKNOWN = new Took(Optional.empty(), Optional.empty());

        public static Took nanos(long nanos) {
            return new Took(Optional.of(nanos), Optional.empty());
        }

        public static Took cycles(long cycles) {
            return new Took(Optional.empty(), Optional.of(cycles));
        }
    }

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
        out.writeLong(exit.stamp().seq());
        out.writeBoolean(exit.effort().userspace());
        Codec.writeOptional(exit.took().nanos().orElse(null), out, (n, o) -> o.writeLong(n));
        Codec.writeOptional(exit.took().cycles().orElse(null), out, (n, o) -> o.writeLong(n));
    }

    private static ExitObserved read(AvroReader in) {
        String session = in.readString();
        long order = in.readLong();
        int vcpu = in.readInt();
        int pcpu = in.readInt();
        long tick = in.readLong();
        long op = in.readLong();
        int level = in.readInt();
        Reason reason =
                new Reason(in.readEnum(VENDORS), in.readLong(), in.readString(), in.readLong());
        long rip = in.readLong();
        Subject subject =
                new Subject(
                        Optional.ofNullable(Codec.readOptional(in, AvroReader::readUnsigned)),
                        Optional.ofNullable(Codec.readOptional(in, AvroReader::readBoolean)),
                        Optional.ofNullable(Codec.readOptional(in, AvroReader::readInt)));
        boolean reflected = in.readBoolean();
        int events = in.readInt();
        int mutations = in.readInt();
        int reads = in.readInt();
        int writes = in.readInt();
        long recordedMillis = in.readLong();
        long seq = in.readLong();
        boolean userspace = in.readBoolean();
        return new ExitObserved(
                session,
                new Stamp(order, vcpu, seq, pcpu, Scope.VCPU, tick, op, 0),
                level,
                reason,
                rip,
                subject,
                new Effort(reflected, events, mutations, reads, writes, userspace),
                recordedMillis,
                new Took(
                        Optional.ofNullable(Codec.readOptional(in, AvroReader::readLong)),
                        Optional.ofNullable(Codec.readOptional(in, AvroReader::readLong))));
    }
}

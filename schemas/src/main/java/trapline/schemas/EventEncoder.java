package trapline.schemas;

import java.util.zip.CRC32C;
import trapline.engine.event.Envelope;
import trapline.engine.event.Stamp;

/// Events of one session, in order, to records of the events topic.
///
/// Each record's CRC covers the one before, so that damage, loss and reordering show. Not
/// thread-safe.
public final class EventEncoder {

    private final byte[] header;
    private final AvroWriter out = new AvroWriter();
    private final CRC32C crc = new CRC32C();
    private final byte[] chainBytes = new byte[4];
    private int chain;

    public EventEncoder(Framing framing) {
        header = framing.header("Envelope");
    }

    /// The record of one event.
    public byte[] encode(Envelope envelope) {
        out.reset();
        out.writeFixed(header);
        Stamp stamp = envelope.stamp();
        out.writeLong(stamp.order());
        out.writeInt(stamp.vcpu());
        out.writeLong(stamp.seq());
        out.writeInt(stamp.pcpu());
        out.writeEnum(stamp.scope());
        out.writeLong(stamp.tick());
        out.writeLong(stamp.op());
        out.writeLong(stamp.cause());
        EventUnion.write(envelope.event(), out);
        chain = Crc.chained(crc, chainBytes, chain, out.buffer(), 0, out.size());
        out.writeCrc(chain);
        return out.toByteArray();
    }

    /// The CRC of the last record.
    public int chain() {
        return chain;
    }
}

package trapline.schemas;

import java.util.zip.CRC32C;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.Stamp;
import trapline.engine.event.Stamp.Scope;
import trapline.schemas.WireException.Kind;

/// Records of the events topic back to events, each checked against the one before.
///
/// Not thread-safe.
public final class EventDecoder {

    private static final Scope[] SCOPES = Scope.values();

    private final Resolver resolver;
    private final AvroReader in = new AvroReader();
    private final CRC32C crc = new CRC32C();
    private final byte[] chainBytes = new byte[4];
    private int chain;
    private long order;

    public EventDecoder(Framing.Writers writers) {
        resolver = new Resolver("Envelope", writers);
    }

    /// Goes on after the event with this order number, whose record had this CRC.
    public void startAfter(long order, int chain) {
        this.order = order;
        this.chain = chain;
    }

    /// The CRC of the last record.
    public int chain() {
        return chain;
    }

    /// The order number of the last event.
    public long order() {
        return order;
    }

    public Envelope decode(byte[] bytes) {
        return decode(bytes, 0, bytes.length);
    }

    /// The next event of the session.
    ///
    /// @throws WireException if these bytes are not it; the decoder stays where it was
    public Envelope decode(byte[] bytes, int offset, int length) {
        int computed = Crc.chained(crc, chainBytes, chain, bytes, offset, Math.max(0, length - 4));
        boolean intact = length >= 4 && computed == Crc.stored(bytes, offset, length);
        resolver.open(bytes, offset, length, intact, in);
        if (!intact) {
            throw explain();
        }
        Envelope envelope = read();
        if (envelope.stamp().order() != order + 1) {
            throw outOfPlace(envelope.stamp().order());
        }
        if (in.readCrc() != computed || in.remaining() != 0) {
            throw new WireException(Kind.DAMAGED, "the record does not end with its CRC");
        }
        chain = computed;
        order = envelope.stamp().order();
        return envelope;
    }

    private Envelope read() {
        Stamp stamp =
                new Stamp(
                        in.readLong(),
                        in.readInt(),
                        in.readLong(),
                        in.readInt(),
                        in.readEnum(SCOPES),
                        in.readLong(),
                        in.readLong(),
                        in.readLong());
        Event event = EventUnion.read(in);
        return new Envelope(stamp, event);
    }

    /// Why the CRC is not the expected one: another event's record is whole in itself.
    private WireException explain() {
        long found;
        try {
            found = in.readLong();
        } catch (WireException e) {
            return new WireException(Kind.DAMAGED, "the record's bytes are damaged");
        }
        return found > 0 && found != order + 1
                ? outOfPlace(found)
                : new WireException(
                        Kind.DAMAGED,
                        "event %d: the record's CRC does not match its bytes".formatted(order + 1));
    }

    private WireException outOfPlace(long found) {
        return new WireException(
                Kind.OUT_OF_PLACE, "expected event %d, found event %d".formatted(order + 1, found));
    }
}

package trapline.schemas;

import trapline.schemas.WireException.Kind;

/// Whole records of one kind: header, body, CRC. Not thread-safe.
public final class Frame<T> {

    private final Codec<T> codec;
    private final byte[] header;
    private final Resolver resolver;
    private final AvroWriter out = new AvroWriter();
    private final AvroReader in = new AvroReader();

    public Frame(Codec<T> codec, Framing framing, Framing.Writers writers) {
        this.codec = codec;
        header = framing.header(codec.schema());
        resolver = new Resolver(codec.schema(), writers);
    }

    public byte[] encode(T value) {
        out.reset();
        out.writeFixed(header);
        codec.writer().accept(value, out);
        out.writeCrc(Crc.of(out.buffer(), 0, out.size()));
        return out.toByteArray();
    }

    public T decode(byte[] bytes) {
        return decode(bytes, 0, bytes.length);
    }

    /// The value in these bytes.
    ///
    /// @throws WireException if they are not such a record, whole
    public T decode(byte[] bytes, int offset, int length) {
        int computed = Crc.of(bytes, offset, Math.max(0, length - 4));
        boolean intact = length >= 4 && computed == Crc.stored(bytes, offset, length);
        resolver.open(bytes, offset, length, intact, in);
        if (!intact) {
            throw new WireException(
                    Kind.DAMAGED,
                    "%s: the record's CRC does not match its bytes".formatted(codec.schema()));
        }
        T value = codec.reader().apply(in);
        if (in.readCrc() != computed || in.remaining() != 0) {
            throw new WireException(
                    Kind.DAMAGED,
                    "%s: the record does not end with its CRC".formatted(codec.schema()));
        }
        return value;
    }
}

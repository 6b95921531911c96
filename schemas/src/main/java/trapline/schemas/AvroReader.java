package trapline.schemas;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;
import trapline.schemas.WireException.Kind;

/// Avro's binary encoding out of a byte array, with every bound checked.
public final class AvroReader {

    private byte[] bytes = new byte[0];
    private int position;
    private int limit;

    public AvroReader over(byte[] bytes, int offset, int length) {
        this.bytes = bytes;
        position = offset;
        limit = offset + length;
        return this;
    }

    public int position() {
        return position;
    }

    public int remaining() {
        return limit - position;
    }

    public int readInt() {
        long value = readLong();
        if (value != (int) value) {
            throw damaged("a number of 32 bits");
        }
        return (int) value;
    }

    /// An int whose wire type is long, unsigned.
    public int readUnsigned() {
        long value = readLong();
        if (value >>> 32 != 0) {
            throw damaged("an unsigned number of 32 bits");
        }
        return (int) value;
    }

    public long readLong() {
        if (position >= limit) {
            throw damaged("a number");
        }
        long rest = bytes[position++];
        if (rest < 0) {
            rest &= 0x7f;
            int shift = 7;
            long more;
            do {
                if (position >= limit || shift > 63) {
                    throw damaged("the rest of a number");
                }
                more = bytes[position++];
                rest |= (more & 0x7f) << shift;
                shift += 7;
            } while (more < 0);
        }
        return rest >>> 1 ^ -(rest & 1);
    }

    public double readDouble() {
        if (remaining() < 8) {
            throw damaged("a number of 8 bytes");
        }
        long bits = 0;
        for (int shift = 0; shift < 64; shift += 8) {
            bits |= (bytes[position++] & 0xffL) << shift;
        }
        return Double.longBitsToDouble(bits);
    }

    public boolean readBoolean() {
        long value = readByte();
        if (value != 0 && value != 1) {
            throw damaged("a boolean");
        }
        return value == 1;
    }

    public <E> E readEnum(E[] symbols) {
        long ordinal = readLong();
        if (ordinal < 0 || ordinal >= symbols.length) {
            throw damaged("an enum symbol below " + symbols.length);
        }
        return symbols[(int) ordinal];
    }

    public String readString() {
        int length = readLength();
        String text = new String(bytes, position, length, StandardCharsets.UTF_8);
        position += length;
        return text;
    }

    /// A text that is probably this one, which is then not made again.
    String readString(String likely) {
        int before = position;
        int length = readLength();
        if (length == likely.length()) {
            int same = 0;
            while (same < length && bytes[position + same] == likely.charAt(same)) {
                same++;
            }
            if (same == length) {
                position += length;
                return likely;
            }
        }
        position = before;
        return readString();
    }

    public byte[] readBytes() {
        return readFixed(readLength());
    }

    public byte[] readFixed(int length) {
        if (length > remaining()) {
            throw damaged(length + " bytes");
        }
        position += length;
        return Arrays.copyOfRange(bytes, position - length, position);
    }

    public int readCrc() {
        if (remaining() < 4) {
            throw damaged("a CRC");
        }
        int crc = 0;
        for (int shift = 0; shift < 32; shift += 8) {
            crc |= (bytes[position++] & 0xff) << shift;
        }
        return crc;
    }

    /// The number of items in the next block of an array; 0 at its end.
    public int readBlockCount() {
        long count = readLong();
        if (count < 0) {
            readLong();
            count = -count;
        }
        if (count < 0 || count > remaining()) {
            throw damaged("an array's length");
        }
        return (int) count;
    }

    public long[] readLongs() {
        long[] values = new long[0];
        for (int count = readBlockCount(); count > 0; count = readBlockCount()) {
            int old = values.length;
            values = Arrays.copyOf(values, old + count);
            for (int i = old; i < values.length; i++) {
                values[i] = readLong();
            }
        }
        return values;
    }

    /// The bytes of whatever `pass` reads.
    byte[] readRaw(Consumer<AvroReader> pass) {
        int start = position;
        pass.accept(this);
        return Arrays.copyOfRange(bytes, start, position);
    }

    private int readByte() {
        if (position >= limit) {
            throw damaged("a byte");
        }
        return bytes[position++];
    }

    private int readLength() {
        long length = readLong();
        if (length < 0 || length > remaining()) {
            throw damaged("a length of at most " + remaining());
        }
        return (int) length;
    }

    WireException damaged(String expected) {
        return new WireException(
                Kind.DAMAGED, "expected %s at byte %d".formatted(expected, position));
    }
}

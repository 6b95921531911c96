package trapline.schemas;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Avro's binary encoding into a buffer that is used again.
///
/// Ours, because a session's records are many and small: no stream, no copy but the last.
public final class AvroWriter {

    private byte[] buffer = new byte[1024];
    private int size;

    public void reset() {
        size = 0;
    }

    public int size() {
        return size;
    }

    public byte[] buffer() {
        return buffer;
    }

    public byte[] toByteArray() {
        return Arrays.copyOf(buffer, size);
    }

    public void writeInt(int value) {
        writeLong(value);
    }

    /// An int whose wire type is long, unsigned.
    public void writeUnsigned(int value) {
        writeLong(Integer.toUnsignedLong(value));
    }

    public void writeLong(long value) {
        if (size + 10 > buffer.length) {
            grow(10);
        }
        long rest = value << 1 ^ value >> 63;
        int at = size;
        while ((rest & ~0x7fL) != 0) {
            buffer[at++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        buffer[at++] = (byte) rest;
        size = at;
    }

    /// Eight bytes, least significant first.
    public void writeDouble(double value) {
        long bits = Double.doubleToRawLongBits(value);
        grow(8);
        for (int shift = 0; shift < 64; shift += 8) {
            buffer[size++] = (byte) (bits >>> shift);
        }
    }

    public void writeBoolean(boolean value) {
        writeByte(value ? 1 : 0);
    }

    public void writeEnum(Enum<?> value) {
        writeLong(value.ordinal());
    }

    public void writeString(String value) {
        writeBytes(value.getBytes(StandardCharsets.UTF_8));
    }

    public void writeBytes(byte[] value) {
        writeLong(value.length);
        writeFixed(value);
    }

    public void writeFixed(byte[] value) {
        writeFixed(value, 0, value.length);
    }

    public void writeFixed(byte[] value, int offset, int length) {
        grow(length);
        System.arraycopy(value, offset, buffer, size, length);
        size += length;
    }

    /// Four bytes, least significant first: how a CRC is kept.
    public void writeCrc(int crc) {
        grow(4);
        for (int shift = 0; shift < 32; shift += 8) {
            buffer[size++] = (byte) (crc >>> shift);
        }
    }

    public void writeLongs(long[] values) {
        if (values.length > 0) {
            writeLong(values.length);
            for (long value : values) {
                writeLong(value);
            }
        }
        writeLong(0);
    }

    private void writeByte(int value) {
        grow(1);
        buffer[size++] = (byte) value;
    }

    private void grow(int more) {
        if (size + more > buffer.length) {
            buffer = Arrays.copyOf(buffer, Math.max(2 * buffer.length, size + more));
        }
    }
}

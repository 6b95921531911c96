package trapline.schemas;

import java.util.zip.CRC32C;

/// The checksums that records carry.
final class Crc {

    private Crc() {}

    /// The CRC of the four bytes of `previous` and of a record's bytes.
    static int chained(
            CRC32C crc, byte[] scratch, int previous, byte[] bytes, int offset, int length) {
        for (int i = 0; i < 4; i++) {
            scratch[i] = (byte) (previous >>> (8 * i));
        }
        crc.reset();
        crc.update(scratch, 0, 4);
        crc.update(bytes, offset, length);
        return (int) crc.getValue();
    }

    static int of(byte[] bytes, int offset, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, offset, length);
        return (int) crc.getValue();
    }

    /// The last four bytes.
    static int stored(byte[] bytes, int offset, int length) {
        return new AvroReader().over(bytes, offset + length - 4, 4).readCrc();
    }
}

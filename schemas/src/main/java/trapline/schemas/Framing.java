package trapline.schemas;

import java.util.Arrays;
import java.util.Map;
import org.apache.avro.Schema;

/// What stands before a record's body and names its schema.
///
/// Avro's single-object encoding (two marker bytes and the schema's CRC-64-AVRO fingerprint), or a
/// schema registry's wire format (a zero byte and the registry's number of the schema).
public final class Framing {

    private static final byte[] MARKER = {(byte) 0xc3, 0x01};

    /// Avro's single-object encoding: readable with the published schemas alone.
    public static final Framing SINGLE_OBJECT = new Framing(Map.of());

    private final Map<String, Integer> registryIds;

    private Framing(Map<String, Integer> registryIds) {
        this.registryIds = registryIds;
    }

    /// The registry's wire format; every top-level schema has its number in `ids`.
    public static Framing registry(Map<String, Integer> ids) {
        return new Framing(Map.copyOf(ids));
    }

    /// The bytes before the body of a record with this schema.
    public byte[] header(String schema) {
        Integer id = registryIds.get(schema);
        if (id == null) {
            long fingerprint = Schemas.fingerprint(Schemas.of(schema));
            byte[] header = Arrays.copyOf(MARKER, 10);
            for (int i = 0; i < 8; i++) {
                header[2 + i] = (byte) (fingerprint >>> (8 * i));
            }
            return header;
        }
        byte[] header = new byte[5];
        for (int i = 0; i < 4; i++) {
            header[1 + i] = (byte) (id >>> (24 - 8 * i));
        }
        return header;
    }

    /// The length of the header that these bytes begin with, or 0 if they begin with none of ours.
    static int headerLength(byte[] bytes, int offset, int length) {
        if (length >= 10 && bytes[offset] == MARKER[0] && bytes[offset + 1] == MARKER[1]) {
            return 10;
        }
        return length >= 5 && bytes[offset] == 0 ? 5 : 0;
    }

    static long fingerprint(byte[] bytes, int offset) {
        long fingerprint = 0;
        for (int i = 7; i >= 0; i--) {
            fingerprint = (fingerprint << 8) | (bytes[offset + 2 + i] & 0xff);
        }
        return fingerprint;
    }

    static int registryId(byte[] bytes, int offset) {
        int id = 0;
        for (int i = 1; i < 5; i++) {
            id = (id << 8) | (bytes[offset + i] & 0xff);
        }
        return id;
    }

    /// Where a writer's schema is found by what a record's header says.
    public interface Writers {

        /// Only the schemas of this version.
        Writers OURS =
                new Writers() {
                    private final Map<Long, Schema> published = Schemas.published();

                    @Override
                    public Schema byFingerprint(long fingerprint) {
                        return published.get(fingerprint);
                    }

                    @Override
                    public Schema byRegistryId(int id) {
                        return null;
                    }
                };

        /// The schema, or null where it is not known.
        Schema byFingerprint(long fingerprint);

        /// The schema, or null where it is not known.
        Schema byRegistryId(int id);
    }
}

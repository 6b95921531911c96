package trapline.journal.file;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.SchemaParser;
import trapline.schemas.AvroReader;
import trapline.schemas.AvroWriter;
import trapline.schemas.Digest;
import trapline.schemas.Schemas;
import trapline.schemas.WireException;

/// The beginning of an Avro container file.
///
/// Avro leaves it to the writer which 16 bytes separate the blocks. Ours are the beginning of the
/// SHA-256 of all that stands before them, so that the header vouches for itself.
///
/// @param schema the union of the records in the file
/// @param sync what stands after the header and after each block
/// @param length of the header, sync marker included
record ContainerHeader(Schema schema, byte[] sync, int length) {

    static final int SYNC_LENGTH = 16;

    private static final byte[] MAGIC = {'O', 'b', 'j', 1};
    private static final String SCHEMA = "avro.schema";
    private static final String CODEC = "avro.codec";
    private static final String SESSION = "trapline.session";
    private static final String ZSTANDARD = "zstandard";

    /// The records of a file, in the order of the union's branches.
    private static final List<String> RECORDS =
            List.of("CatalogueEntry", "Blob", "Envelope", "Checkpoint", "CheckpointPage");

    private static final Schema OURS =
            Schema.createUnion(RECORDS.stream().map(Schemas::of).toList());

    private static final String OUR_TEXT = OURS.toString();

    /// The bytes of the header of a new file.
    static byte[] encode(String session) {
        Map<String, String> entries = new TreeMap<>();
        entries.put(SCHEMA, OUR_TEXT);
        entries.put(CODEC, ZSTANDARD);
        entries.put(SESSION, session);
        AvroWriter out = new AvroWriter();
        out.writeFixed(MAGIC);
        out.writeLong(entries.size());
        entries.forEach((key, value) -> {
            out.writeString(key);
            out.writeString(value);
        });
        out.writeLong(0);
        out.writeFixed(sync(out.buffer(), out.size()));
        return out.toByteArray();
    }

    private static byte[] sync(byte[] bytes, int length) {
        return Arrays.copyOf(Digest.of(bytes, 0, length).bytes(), SYNC_LENGTH);
    }

    /// The header that these bytes begin with.
    ///
    /// @throws WireException if they do not
    static ContainerHeader decode(byte[] bytes) {
        AvroReader in = new AvroReader().over(bytes, 0, bytes.length);
        if (!Arrays.equals(in.readFixed(MAGIC.length), MAGIC)) {
            throw damaged("expected an Avro container file, found something else");
        }
        Map<String, byte[]> entries = entries(in);
        int size = in.position();
        byte[] sync = in.readFixed(SYNC_LENGTH);
        if (!Arrays.equals(sync, sync(bytes, size))) {
            throw damaged(
                    entries.containsKey(SESSION)
                            ? "the header's bytes (0 to %d) are damaged".formatted(in.position())
                            : "expected a session of Trapline, found another Avro file");
        }
        String codec = text(entries.get(CODEC));
        if (!codec.equals(ZSTANDARD)) {
            throw new WireException(
                    WireException.Kind.UNKNOWN_SCHEMA,
                    "expected codec %s, found %s".formatted(ZSTANDARD, codec));
        }
        return new ContainerHeader(schema(text(entries.get(SCHEMA))), sync, in.position());
    }

    private static Map<String, byte[]> entries(AvroReader in) {
        Map<String, byte[]> entries = new TreeMap<>();
        for (int count = in.readBlockCount(); count > 0; count = in.readBlockCount()) {
            for (int i = 0; i < count; i++) {
                entries.put(in.readString(), in.readBytes());
            }
        }
        return entries;
    }

    /// The number of the branch that a record of this version has.
    static int branch(String record) {
        return RECORDS.indexOf(record);
    }

    private static String text(byte[] value) {
        return value == null ? "" : new String(value, StandardCharsets.UTF_8);
    }

    private static Schema schema(String text) {
        if (text.equals(OUR_TEXT)) {
            return OURS;
        }
        try {
            Schema schema = new SchemaParser().parse(text).mainSchema();
            if (schema.isUnion()) {
                return schema;
            }
        } catch (AvroRuntimeException e) {
            // Said below.
        }
        throw damaged("expected a union of Trapline's records as the schema");
    }

    private static WireException damaged(String message) {
        return new WireException(WireException.Kind.FOREIGN, message);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ContainerHeader that && Arrays.equals(sync, that.sync);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(sync);
    }
}

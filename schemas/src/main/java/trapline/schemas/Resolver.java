package trapline.schemas;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.AvroTypeException;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import trapline.schemas.WireException.Kind;

/// Finds a record's body and turns it into today's schema where another version wrote it.
///
/// What our own version wrote passes untouched. Not thread-safe.
final class Resolver {

    private final Schema ours;
    private final byte[] header;
    private final Framing.Writers writers;
    private final Map<Long, Translation> translations = new TreeMap<>();

    Resolver(String schema, Framing.Writers writers) {
        ours = Schemas.of(schema);
        header = Framing.SINGLE_OBJECT.header(schema);
        this.writers = writers;
    }

    /// Sets `in` on the body, in our own schema, of the record in these bytes.
    ///
    /// @param intact whether their CRC is right: if not, it is not for its writer's being newer that
    ///     a record cannot be read
    void open(byte[] bytes, int offset, int length, boolean intact, AvroReader in) {
        try {
            open(bytes, offset, length, in);
        } catch (WireException e) {
            throw intact || e.kind() == Kind.FOREIGN
                    ? e
                    : new WireException(Kind.DAMAGED, "the record's bytes are damaged");
        }
    }

    private void open(byte[] bytes, int offset, int length, AvroReader in) {
        if (length >= 10 && Arrays.equals(bytes, offset, offset + 10, header, 0, 10)) {
            in.over(bytes, offset + 10, length - 10);
            return;
        }
        int headerLength = Framing.headerLength(bytes, offset, length);
        if (headerLength == 0) {
            throw new WireException(
                    Kind.FOREIGN,
                    "expected a record of schema %s, found %d bytes without a header of ours"
                            .formatted(ours.getName(), length));
        }
        Translation translation = translation(bytes, offset, headerLength);
        if (translation == Translation.NONE) {
            in.over(bytes, offset + headerLength, length - headerLength);
        } else {
            byte[] body =
                    translation.apply(bytes, offset + headerLength, length - headerLength, ours);
            in.over(body, 0, body.length);
        }
    }

    private Translation translation(byte[] bytes, int offset, int headerLength) {
        boolean registry = headerLength == 5;
        long key =
                registry ? Framing.registryId(bytes, offset) : Framing.fingerprint(bytes, offset);
        Translation known = translations.get(key);
        if (known != null) {
            return known;
        }
        Schema writer = registry ? writers.byRegistryId((int) key) : writers.byFingerprint(key);
        if (writer == null) {
            throw new WireException(
                    Kind.UNKNOWN_SCHEMA,
                    "schema %s is not known here; a newer Trapline may have written it"
                            .formatted(
                                    registry
                                            ? "number " + key + " of the registry"
                                            : "with fingerprint 0x" + Long.toHexString(key)));
        }
        if (!writer.getName().equals(ours.getName())) {
            throw new WireException(
                    Kind.FOREIGN,
                    "expected a record of schema %s, found one of %s"
                            .formatted(ours.getName(), writer.getFullName()));
        }
        Translation made =
                Schemas.fingerprint(writer) == Schemas.fingerprint(ours)
                        ? Translation.NONE
                        : new Translation(writer, ours);
        translations.put(key, made);
        return made;
    }

    /// From one writer's schema to ours, through Avro's own resolution.
    private static final class Translation {
        static final Translation NONE = new Translation();

        private final GenericDatumReader<Object> reader;
        private final GenericDatumReader<GenericRecord> asWritten;
        private final Set<String> unknown;

        private Translation() {
            reader = null;
            asWritten = null;
            unknown = Set.of();
        }

        Translation(Schema writer, Schema ours) {
            reader = new GenericDatumReader<>(writer, ours);
            asWritten = new GenericDatumReader<>(writer);
            unknown = branches(writer);
            unknown.removeAll(branches(ours));
        }

        /// The records that fields of a schema choose between.
        private static Set<String> branches(Schema schema) {
            Set<String> names = new TreeSet<>();
            for (Schema.Field field : schema.getFields()) {
                if (field.schema().isUnion()) {
                    field.schema().getTypes().forEach(type -> names.add(type.getFullName()));
                }
            }
            return names;
        }

        byte[] apply(byte[] bytes, int offset, int length, Schema ours) {
            BinaryDecoder in = DecoderFactory.get().binaryDecoder(bytes, offset, length, null);
            ByteArrayOutputStream out = new ByteArrayOutputStream(length + 16);
            BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(out, null);
            try {
                if (!unknown.isEmpty()) {
                    checkKnown(asWritten.read(null, in));
                    in = DecoderFactory.get().binaryDecoder(bytes, offset, length, in);
                }
                Object datum = reader.read(null, in);
                new GenericDatumWriter<>(ours).write(datum, encoder);
            } catch (AvroTypeException e) {
                throw new WireException(
                        Kind.UNKNOWN_SCHEMA,
                        "a newer Trapline wrote what this one does not know: " + e.getMessage());
            } catch (IOException | AvroRuntimeException | ArrayIndexOutOfBoundsException e) {
                throw new WireException(Kind.DAMAGED, "the record does not fit its schema");
            }
            return out.toByteArray();
        }

        /// Avro would take a record that ours does not have for one of ours with the same fields.
        private void checkKnown(GenericRecord record) {
            for (Schema.Field field : record.getSchema().getFields()) {
                if (record.get(field.pos()) instanceof GenericRecord chosen
                        && unknown.contains(chosen.getSchema().getFullName())) {
                    throw new AvroTypeException(chosen.getSchema().getFullName());
                }
            }
        }
    }
}

package trapline.schemas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.apache.avro.AvroTypeException;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.apache.avro.SchemaParser;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.Outcome;
import trapline.schemas.Framing.Writers;
import trapline.schemas.RecordCodecTest.Kind;

/// What other versions wrote. A folder of `released` is never changed; a release adds one.
class CompatibilityTest {

    private static final Path RELEASED = Path.of("src/test/resources/released");

    /// The schemas of one release by name.
    record Release(String name, SortedMap<String, Schema> schemas) {

        static Release read(Path folder) {
            SchemaParser parser = new SchemaParser();
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.sorted().toList()) {
                    parser.parse(file);
                }
            } catch (IOException e) {
                throw new AssertionError(e);
            }
            SortedMap<String, Schema> schemas = new TreeMap<>();
            parser.getParsedNamedSchemas().forEach(schema -> schemas.put(schema.getName(), schema));
            return new Release(folder.getFileName().toString(), schemas);
        }

        @Override
        public String toString() {
            return "release " + name;
        }
    }

    static List<Release> releases() throws IOException {
        try (Stream<Path> folders = Files.list(RELEASED)) {
            return folders.sorted().map(Release::read).toList();
        }
    }

    @Test
    void thereIsARelease() throws IOException {
        assertFalse(releases().isEmpty());
    }

    @ParameterizedTest
    @MethodSource("releases")
    void avroCallsEveryReleasedSchemaReadable(Release release) {
        for (String name : release.schemas().keySet()) {
            var found =
                    SchemaCompatibility.checkReaderWriterCompatibility(
                            Schemas.of(name), release.schemas().get(name));
            assertEquals(
                    SchemaCompatibilityType.COMPATIBLE, found.getType(), found::getDescription);
        }
    }

    @ParameterizedTest
    @MethodSource("releases")
    void eventsOfAReleaseDecode(Release release) {
        Schema written = release.schemas().get("Envelope");
        EventEncoder encoder = new EventEncoder(Framing.SINGLE_OBJECT);
        EventDecoder decoder = new EventDecoder(new Known(written));
        int chain = 0;
        List<Envelope> session =
                new Samples(21).session(5).stream().filter(event -> isIn(written, event)).toList();
        for (Envelope event : session) {
            GenericRecord datum = as(written, Schemas.of("Envelope"), encoder.encode(event));
            byte[] record = record(written, datum, chain);
            chain = Crc.stored(record, 0, record.length);
            decoder.startAfter(event.stamp().order() - 1, decoder.chain());
            Wire.assertSays(decoder.decode(record), datum, written, release + " " + event);
        }
    }

    /// Whether a release knew the event, and all names in it.
    private static boolean isIn(Schema envelope, Envelope event) {
        Schema union = envelope.getField("event").schema();
        if (union.getIndexNamed("trapline." + event.event().getClass().getSimpleName()) == null) {
            return false;
        }
        try {
            byte[] record = new EventEncoder(Framing.SINGLE_OBJECT).encode(event);
            return as(envelope, Schemas.of("Envelope"), record) != null;
        } catch (AvroTypeException e) {
            return false;
        }
    }

    @ParameterizedTest
    @MethodSource("releases")
    void theRestOfAReleaseDecodes(Release release) {
        for (Kind<?> kind : RecordCodecTest.kinds()) {
            Schema written = release.schemas().get(kind.codec().schema());
            if (written == null) {
                continue; // the release did not have it
            }
            Samples samples = new Samples(22);
            for (int i = 0; i < 20; i++) {
                GenericRecord datum =
                        as(written, Schemas.of(written.getName()), sample(kind, samples));
                byte[] record = record(written, datum, null);
                Object back =
                        new Frame<>(kind.codec(), Framing.SINGLE_OBJECT, new Known(written))
                                .decode(record);
                Wire.assertSays(back, datum, written, release + " " + kind);
            }
        }
    }

    private static <T> byte[] sample(Kind<T> kind, Samples samples) {
        return kind.frame().encode(kind.sample(samples));
    }

    /// A version to come adds fields; what this one knows of them it still reads.
    @Test
    void fieldsOfANewerVersionArePassedOver() {
        Schema newer = newer("fields\":[", "fields\":[{\"name\":\"added\",\"type\":\"string\"},");
        EventEncoder encoder = new EventEncoder(Framing.SINGLE_OBJECT);
        EventDecoder decoder = new EventDecoder(new Known(newer));
        for (Envelope event : new Samples(23).session(2)) {
            GenericRecord datum = Wire.read(Schemas.of("Envelope"), encoder.encode(event));
            GenericRecord more = new GenericData.Record(newer);
            datum.getSchema()
                    .getFields()
                    .forEach(field -> more.put(field.name(), datum.get(field.name())));
            more.put("added", "unknown here");
            byte[] record = record(newer, more, decoder.chain());
            assertEquals(event, decoder.decode(record));
        }
    }

    /// It is not damage, and says so.
    @Test
    void anEventOfANewerVersionIsUnknown() {
        Schema newer =
                newer(
                        "\"type\":[{",
                        "\"type\":[{\"type\":\"record\",\"name\":\"Sneezed\",\"fields\":[]},{");
        GenericRecord datum = anyEnvelope(newer);
        datum.put(
                "event",
                new GenericData.Record(newer.getField("event").schema().getTypes().getFirst()));
        WireException found = assertThrows(WireException.class, () -> decode(newer, datum));
        assertEquals(WireException.Kind.UNKNOWN_SCHEMA, found.kind(), found.getMessage());
    }

    @Test
    void anEnumSymbolOfANewerVersionIsUnknown() {
        Schema newer =
                newer("\"symbols\":[\"VCPU\",\"VM\"", "\"symbols\":[\"VCPU\",\"VM\",\"HOST\"");
        GenericRecord datum = anyEnvelope(newer);
        datum.put("scope", new GenericData.EnumSymbol(newer.getField("scope").schema(), "HOST"));
        WireException found = assertThrows(WireException.class, () -> decode(newer, datum));
        assertEquals(WireException.Kind.UNKNOWN_SCHEMA, found.kind(), found.getMessage());
    }

    @Test
    void aSchemaThatNobodyPublishedIsUnknown() {
        Schema newer =
                newer(
                        "fields\":[",
                        "fields\":[{\"name\":\"added\",\"type\":\"string\",\"default\":\"\"},");
        GenericRecord datum = anyEnvelope(newer);
        datum.put("added", "");
        byte[] record = record(newer, datum, 0);
        WireException found =
                assertThrows(
                        WireException.class, () -> new EventDecoder(Writers.OURS).decode(record));
        assertEquals(WireException.Kind.UNKNOWN_SCHEMA, found.kind());
    }

    /// Damage is found before anybody looks for schemas.
    @Test
    void damagedRecordsOfANewerVersionAreDamaged() {
        Schema newer = newer("fields\":[", "fields\":[{\"name\":\"added\",\"type\":\"long\"},");
        GenericRecord datum = anyEnvelope(newer);
        datum.put("added", 5L);
        byte[] record = record(newer, datum, 0);
        for (int at = 2; at < record.length; at++) {
            byte[] damaged = record.clone();
            damaged[at] ^= 0x11;
            EventDecoder decoder = new EventDecoder(new Known(newer));
            WireException found = assertThrows(WireException.class, () -> decoder.decode(damaged));
            assertTrue(
                    found.kind() == WireException.Kind.DAMAGED
                            || found.kind() == WireException.Kind.OUT_OF_PLACE,
                    found::getMessage);
        }
    }

    /// Today's schema of events with one change.
    private static Schema newer(String text, String replacement) {
        String ours = Schemas.of("Envelope").toString();
        String changed =
                ours.replaceFirst(Pattern.quote(text), Matcher.quoteReplacement(replacement));
        assertFalse(changed.equals(ours), text);
        return new SchemaParser().parse(changed).mainSchema();
    }

    /// The first event of a session.
    private static GenericRecord anyEnvelope(Schema schema) {
        Envelope event = new Samples(24).envelope(1, new MsrWritten(1, 2, 3, Outcome.DONE));
        GenericRecord ours =
                Wire.read(
                        Schemas.of("Envelope"),
                        new EventEncoder(Framing.SINGLE_OBJECT).encode(event));
        GenericRecord other = new GenericData.Record(schema);
        ours.getSchema()
                .getFields()
                .forEach(field -> other.put(field.name(), ours.get(field.name())));
        return other;
    }

    private static Envelope decode(Schema written, GenericRecord datum) {
        return new EventDecoder(new Known(written)).decode(record(written, datum, 0));
    }

    /// A record of one version as another version would have written it.
    private static GenericRecord as(Schema wanted, Schema written, byte[] record) {
        try {
            return new GenericDatumReader<GenericRecord>(written, wanted)
                    .read(
                            null,
                            DecoderFactory.get()
                                    .binaryDecoder(
                                            record,
                                            Wire.HEADER,
                                            record.length - Wire.HEADER,
                                            null));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /// What a writer with that schema and Avro's own means appends to a log.
    ///
    /// @param chain the CRC before, for an event; else null
    private static byte[] record(Schema schema, GenericRecord datum, Integer chain) {
        Schema crcSchema = schema.getField("crc").schema();
        datum.put("crc", new GenericData.Fixed(crcSchema, new byte[4]));
        byte[] body = Wire.write(schema, datum);
        ByteBuffer record =
                ByteBuffer.allocate(Wire.HEADER + body.length).order(ByteOrder.LITTLE_ENDIAN);
        record.put((byte) 0xc3).put((byte) 1).putLong(Schemas.fingerprint(schema)).put(body);
        CRC32C crc = new CRC32C();
        if (chain != null) {
            crc.update(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(chain).flip());
        }
        crc.update(record.array(), 0, record.capacity() - 4);
        record.putInt(record.capacity() - 4, (int) crc.getValue());
        return record.array();
    }

    /// A log that has published one schema.
    private record Known(Schema schema) implements Writers {

        @Override
        public Schema byFingerprint(long fingerprint) {
            return fingerprint == Schemas.fingerprint(schema) ? schema : null;
        }

        @Override
        public Schema byRegistryId(int id) {
            return null;
        }
    }
}

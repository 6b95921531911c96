package trapline.schemas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.schemas.Framing.Writers;

/// Every event to bytes and back, by us and by Avro.
class EventCodecTest {

    private static final int SAMPLES = 60;
    private static final Schema SCHEMA = Wire.published("Envelope");

    static List<Class<?>> eventTypes() {
        return Samples.eventTypes();
    }

    @ParameterizedTest
    @MethodSource("eventTypes")
    void avroReadsTheSameAndWritesTheSameBytes(Class<?> type) {
        Samples samples = new Samples(type.getName().hashCode());
        EventEncoder encoder = new EventEncoder(Framing.SINGLE_OBJECT);
        for (int order = 1; order <= SAMPLES; order++) {
            Envelope envelope = samples.envelope(order, (Event) samples.of(type));
            byte[] record = encoder.encode(envelope);
            GenericRecord found = Wire.read(SCHEMA, record);
            Wire.assertSays(envelope, found, SCHEMA, "record " + order);
            assertArrayEquals(
                    Arrays.copyOfRange(record, Wire.HEADER, record.length),
                    Wire.write(SCHEMA, found));
        }
    }

    @Test
    void everyEventComesBack() {
        List<Envelope> session = new Samples(1).session(SAMPLES);
        EventEncoder encoder = new EventEncoder(Framing.SINGLE_OBJECT);
        EventDecoder decoder = new EventDecoder(Writers.OURS);
        for (Envelope envelope : session) {
            assertEquals(envelope, decoder.decode(encoder.encode(envelope)));
            assertEquals(encoder.chain(), decoder.chain());
            assertEquals(envelope.stamp().order(), decoder.order());
        }
    }

    /// Decoding may begin behind any event, given its number and its CRC.
    @Test
    void everySuffixDecodes() {
        List<Envelope> session = new Samples(2).session(1);
        EventEncoder encoder = new EventEncoder(Framing.SINGLE_OBJECT);
        for (int i = 0; i < session.size(); i++) {
            EventDecoder decoder = new EventDecoder(Writers.OURS);
            decoder.startAfter(i, encoder.chain());
            assertEquals(session.get(i), decoder.decode(encoder.encode(session.get(i))));
        }
    }

    @Test
    void headerIsAvrosFingerprint() throws NoSuchAlgorithmException {
        for (String name : Schemas.TOP_LEVEL) {
            byte[] header = Framing.SINGLE_OBJECT.header(name);
            byte[] fingerprint =
                    SchemaNormalization.parsingFingerprint("CRC-64-AVRO", Wire.published(name));
            assertEquals(Wire.HEADER, header.length);
            assertEquals(0xc3, header[0] & 0xff);
            assertEquals(0x01, header[1]);
            assertArrayEquals(fingerprint, Arrays.copyOfRange(header, 2, Wire.HEADER), name);
            assertEquals(
                    ByteBuffer.wrap(fingerprint).order(ByteOrder.LITTLE_ENDIAN).getLong(),
                    Schemas.fingerprint(Schemas.of(name)),
                    name);
        }
    }

    /// What a schema registry's clients send: a zero byte and the registry's number.
    @Test
    void registryFramingIsReadByItsNumber() {
        Framing framing = Framing.registry(Map.of("Envelope", 0x01020304));
        Envelope envelope = new Samples(3).session(1).getFirst();
        byte[] record = new EventEncoder(framing).encode(envelope);
        assertArrayEquals(new byte[] {0, 1, 2, 3, 4}, Arrays.copyOf(record, 5));
        Writers registry =
                new Writers() {
                    @Override
                    public Schema byFingerprint(long fingerprint) {
                        return null;
                    }

                    @Override
                    public Schema byRegistryId(int id) {
                        return id == 0x01020304 ? SCHEMA : null;
                    }
                };
        assertEquals(envelope, new EventDecoder(registry).decode(record));
        assertThrows(WireException.class, () -> new EventDecoder(Writers.OURS).decode(record));
    }
}

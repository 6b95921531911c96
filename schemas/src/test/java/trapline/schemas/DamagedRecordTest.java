package trapline.schemas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import trapline.engine.event.Envelope;
import trapline.schemas.Framing.Writers;
import trapline.schemas.RecordCodecTest.Kind;

/// Bytes changed, lost and added, records lost, doubled and swapped.
class DamagedRecordTest {

    private final List<Envelope> session = new Samples(11).session(2);
    private final EventEncoder encoder = new EventEncoder(Framing.SINGLE_OBJECT);
    private final EventDecoder decoder = new EventDecoder(Writers.OURS);

    /// Every bit of a record of every type; what is refused leaves the decoder where it was.
    @Test
    void everyFlippedBitOfAnEventIsFound() {
        for (Envelope envelope : session) {
            byte[] record = encoder.encode(envelope);
            for (int bit = 0; bit < 8 * Math.min(record.length, 400); bit++) {
                byte[] damaged = flipped(record, bit);
                assertThrows(WireException.class, () -> decoder.decode(damaged));
            }
            assertEquals(envelope, decoder.decode(record));
        }
    }

    @Test
    void everyFlippedBitOfTheRestIsFound() {
        for (Kind<?> kind : RecordCodecTest.kinds()) {
            byte[] record = sample(kind);
            for (int bit = 0; bit < 8 * record.length; bit++) {
                byte[] damaged = flipped(record, bit);
                assertThrows(WireException.class, () -> kind.frame().decode(damaged));
            }
        }
    }

    private static <T> byte[] sample(Kind<T> kind) {
        return kind.frame().encode(kind.sample(new Samples(12)));
    }

    private static byte[] flipped(byte[] record, int bit) {
        byte[] damaged = record.clone();
        damaged[bit / 8] ^= (byte) (1 << (bit % 8));
        return damaged;
    }

    @Test
    void everyOtherLengthIsFound() {
        for (Envelope envelope : session) {
            byte[] record = encoder.encode(envelope);
            for (int length = 0; length < record.length + 9; length++) {
                byte[] other = Arrays.copyOf(record, length);
                if (length != record.length) {
                    assertThrows(WireException.class, () -> decoder.decode(other));
                }
            }
            decoder.decode(record);
        }
    }

    @Test
    void eventsThatAreNotTheNextOneAreNamed() {
        List<byte[]> records = session.stream().map(encoder::encode).toList();
        for (int at = 1; at < records.size() - 1; at++) {
            decoder.decode(records.get(at - 1));
            for (int other : new int[] {at - 1, at + 1}) {
                WireException found =
                        assertThrows(WireException.class, () -> decoder.decode(records.get(other)));
                assertEquals(WireException.Kind.OUT_OF_PLACE, found.kind());
                assertEquals(
                        "expected event %d, found event %d".formatted(at + 1, other + 1),
                        found.getMessage());
            }
        }
    }

    @Test
    void anotherSessionsEventIsFound() {
        EventEncoder others = new EventEncoder(Framing.SINGLE_OBJECT);
        List<Envelope> other = new Samples(13).session(1);
        decoder.decode(encoder.encode(session.getFirst()));
        others.encode(other.get(0));
        byte[] second = others.encode(other.get(1));
        WireException found = assertThrows(WireException.class, () -> decoder.decode(second));
        assertEquals(WireException.Kind.DAMAGED, found.kind());
    }

    @ParameterizedTest
    @MethodSource("trapline.schemas.RecordCodecTest#kinds")
    void recordsOfAnotherKindAreForeign(Kind<?> kind) {
        byte[] record = encoder.encode(session.getFirst());
        WireException found = assertThrows(WireException.class, () -> kind.frame().decode(record));
        assertEquals(WireException.Kind.FOREIGN, found.kind());
    }

    /// A writer with a fault of its own: the checksum is right and the rest is anything.
    @Test
    void nonsenseWithARightChecksumIsRefusedOrAnEvent() {
        Random random = new Random(14);
        for (Envelope envelope : session) {
            long order = envelope.stamp().order();
            byte[] record = encoder.encode(envelope);
            for (int i = 0; i < 300; i++) {
                byte[] nonsense = record.clone();
                for (int change = 0; change <= i % 3; change++) {
                    int at = Wire.HEADER + random.nextInt(record.length - Wire.HEADER - 4);
                    nonsense[at] = (byte) random.nextInt();
                }
                withChecksum(nonsense);
                decoder.startAfter(order - 1, 0);
                try {
                    assertEquals(order, decoder.decode(nonsense).stamp().order());
                } catch (WireException e) {
                    assertNotEquals(WireException.Kind.FOREIGN, e.kind());
                }
            }
        }
    }

    /// As if it were the first of its session.
    private static void withChecksum(byte[] record) {
        CRC32C crc = new CRC32C();
        crc.update(new byte[4]);
        crc.update(record, 0, record.length - 4);
        for (int i = 0; i < 4; i++) {
            record[record.length - 4 + i] = (byte) (crc.getValue() >>> (8 * i));
        }
    }
}

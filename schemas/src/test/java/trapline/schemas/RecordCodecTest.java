package trapline.schemas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import trapline.schemas.Framing.Writers;

/// Everything else that a log holds, to bytes and back, by us and by Avro.
class RecordCodecTest {

    private static final int SAMPLES = 60;

    /// A kind of record and how its samples are made.
    record Kind<T>(Codec<T> codec, Class<T> type) {

        T sample(Samples samples) {
            Object sample = samples.of(type);
            return type.cast(
                    sample instanceof Checkpoint checkpoint
                            ? withState(checkpoint, States.some())
                            : sample);
        }

        private static Checkpoint withState(Checkpoint any, byte[] state) {
            return new Checkpoint(
                    any.session(),
                    any.order(),
                    any.seqs(),
                    any.ticks(),
                    any.eventOffset(),
                    any.chain(),
                    any.modelVersion(),
                    state);
        }

        Frame<T> frame() {
            return new Frame<>(codec, Framing.SINGLE_OBJECT, Writers.OURS);
        }

        @Override
        public String toString() {
            return codec.schema();
        }
    }

    static List<Kind<?>> kinds() {
        return List.of(
                new Kind<>(CatalogueEntry.CODEC, CatalogueEntry.class),
                new Kind<>(CheckpointPage.CODEC, CheckpointPage.class),
                new Kind<>(Checkpoint.CODEC, Checkpoint.class),
                new Kind<>(Blob.CODEC, Blob.class),
                new Kind<>(ExitObserved.CODEC, ExitObserved.class),
                new Kind<>(ExitStatistics.CODEC, ExitStatistics.class),
                new Kind<>(ViolationObserved.CODEC, ViolationObserved.class),
                new Kind<>(InterceptionObserved.CODEC, InterceptionObserved.class),
                new Kind<>(ExitWindow.CODEC, ExitWindow.class),
                new Kind<>(FleetRun.CODEC, FleetRun.class),
                new Kind<>(FleetTask.CODEC, FleetTask.class),
                new Kind<>(FleetResult.CODEC, FleetResult.class));
    }

    @Test
    void noKindIsLeftOut() {
        Stream<String> others = kinds().stream().map(Kind::toString);
        assertEquals(
                Schemas.TOP_LEVEL.stream().sorted().toList(),
                Stream.concat(Stream.of("Envelope"), others).sorted().toList());
    }

    @ParameterizedTest
    @MethodSource("kinds")
    <T> void avroReadsTheSameAndWritesTheSameBytes(Kind<T> kind) {
        Schema schema = Wire.published(kind.codec().schema());
        Samples samples = new Samples(kind.toString().hashCode());
        for (int i = 0; i < SAMPLES; i++) {
            T value = kind.sample(samples);
            byte[] record = kind.frame().encode(value);
            GenericRecord found = Wire.read(schema, record);
            Wire.assertSays(value, found, schema, kind + " " + i);
            assertArrayEquals(
                    Arrays.copyOfRange(record, Wire.HEADER, record.length),
                    Wire.write(schema, found));
        }
    }

    /// Of the exit's stamp the record has no sequence number, scope and cause.
    @ParameterizedTest
    @MethodSource("kinds")
    <T> void everyRecordComesBack(Kind<T> kind) {
        Samples samples = new Samples(7);
        Frame<T> frame = kind.frame();
        for (int i = 0; i < SAMPLES; i++) {
            byte[] record = frame.encode(kind.sample(samples));
            T back = frame.decode(record);
            assertEquals(back, frame.decode(frame.encode(back)));
            assertArrayEquals(record, frame.encode(back));
        }
    }

    /// A glance says what the whole record does.
    @Test
    void aGlanceSeesWhatIsThere() {
        Samples samples = new Samples(11);
        Frame<ExitObserved> whole =
                new Frame<>(ExitObserved.CODEC, Framing.SINGLE_OBJECT, Writers.OURS);
        Frame<ExitGlance> glances =
                new Frame<>(new ExitGlance().codec(), Framing.SINGLE_OBJECT, Writers.OURS);
        for (int i = 0; i < SAMPLES; i++) {
            ExitObserved exit = (ExitObserved) samples.of(ExitObserved.class);
            ExitGlance glance = glances.decode(whole.encode(exit));
            assertEquals(exit.session(), glance.session());
            assertEquals(exit.stamp().vcpu(), glance.vcpu());
            assertEquals(exit.reason().number(), glance.reason());
            assertEquals(exit.reason().name(), glance.reasonName());
            assertEquals(
                    exit.subject().msr().map(Integer::toUnsignedLong).orElse(-1L), glance.msr());
            assertEquals(exit.subject().write().orElse(false), glance.write());
            assertEquals(exit.effort().reflected(), glance.reflected());
            assertEquals(exit.effort().mutations(), glance.mutations());
            assertEquals(exit.effort().hostMsrReads(), glance.hostMsrReads());
            assertEquals(exit.effort().hostMsrWrites(), glance.hostMsrWrites());
            assertEquals(exit.recordedMillis(), glance.recordedMillis());
        }
    }
}

package trapline.verify;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.journal.SessionReader;
import trapline.journal.broker.FolderBroker;
import trapline.replayer.Verification.Check;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.Checkpoint;
import trapline.schemas.Codec;
import trapline.schemas.EventEncoder;
import trapline.schemas.Frame;
import trapline.schemas.Framing;
import trapline.schemas.SessionHeader;
import trapline.schemas.Topics;

class EmbeddedVerifyTest extends VerifyContract {

    @TempDir static Path folder;
    private static FolderBroker broker;
    private static Journal journal;

    @BeforeAll
    static void open() {
        broker = Journals.broker(folder.resolve("log"));
        journal = Journals.open("embedded:" + folder.resolve("log"), Optional.empty());
    }

    @AfterAll
    static void close() {
        journal.close();
        broker.close();
    }

    @Override
    Journal journal() {
        return journal;
    }

    @Override
    String anyPlace(String session) {
        return "trapline\\.(events|checkpoints|sessions)-[0-9]+@[0-9]+";
    }

    @Override
    boolean isPlaceOf(CatalogueEntry session, long record, String place) {
        return place.equals(
                "trapline.events-%d@%d"
                        .formatted(session.partition(), session.firstOffset() + record - 1));
    }

    /// Writes a record of somebody else's into the partition of a session that is being recorded.
    record Intruder(byte[] value, boolean withSessionsKey) {}

    static Stream<Intruder> foreignRecords() {
        Checkpoint checkpoint =
                new Checkpoint("x", 1, new long[1], new long[1], 0, 0, 1, new byte[1]);
        byte[] ours = frame(Checkpoint.CODEC).encode(checkpoint);
        byte[] othersFirst =
                new EventEncoder(Framing.SINGLE_OBJECT).encode(VerifyContract.EVENTS.getFirst());
        return Stream.of("hello".getBytes(UTF_8), new byte[0], null, ours, othersFirst)
                .map(value -> new Intruder(value, true));
    }

    private static <T> Frame<T> frame(Codec<T> codec) {
        return new Frame<>(codec, Framing.SINGLE_OBJECT, Framing.Writers.OURS);
    }

    @ParameterizedTest
    @MethodSource("foreignRecords")
    void aForeignRecordUnderTheSessionsKeyIsNamed(Intruder intruder) {
        Interference interference = new Interference(intruder);
        String session = record(interference);
        Check found = wrong(session).get("sequence");
        assertEquals(interference.place, found.place());
    }

    /// A partition is shared by many.
    @Test
    void recordsUnderOtherKeysAreNobodysBusiness() {
        String session = record(new Interference(new Intruder("hello".getBytes(UTF_8), false)));
        assertEquals(Map.of(), wrong(session));
    }

    private static final class Interference extends Forgery {

        private final Intruder intruder;
        private String session;
        private String place;

        Interference(Intruder intruder) {
            this.intruder = intruder;
        }

        @Override
        SessionHeader header(SessionHeader header) {
            session = header.session();
            return header;
        }

        @Override
        List<byte[]> event(long order, byte[] bytes) {
            if (order == 500) {
                place = intrude();
            }
            return List.of(bytes);
        }

        private String intrude() {
            byte[] key = intruder.withSessionsKey() ? session.getBytes(UTF_8) : null;
            String topic = Topics.DEFAULT.events();
            try (var producer =
                            new KafkaProducer<>(
                                    Map.of("bootstrap.servers", broker.address()),
                                    new ByteArraySerializer(),
                                    new ByteArraySerializer());
                    SessionReader reader = journal.open(session)) {
                int partition = reader.entry().partition();
                RecordMetadata written =
                        producer.send(new ProducerRecord<>(topic, partition, key, intruder.value()))
                                .get();
                return "%s-%d@%d".formatted(topic, partition, written.offset());
            } catch (ExecutionException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}

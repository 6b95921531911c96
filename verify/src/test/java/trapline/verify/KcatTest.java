package trapline.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.SchemaParser;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.journal.SessionReader;
import trapline.journal.broker.FolderBroker;
import trapline.recorder.Plan;
import trapline.recorder.Recorded;

/// What somebody has who knows Kafka and Avro and nothing of us: kcat, and Avro's generic reader.
class KcatTest {

    private static final int HEADER = 10;
    private static final short MARKER = (short) 0xc301;

    @TempDir Path folder;

    @BeforeAll
    static void kcatIsThere() {
        boolean found = false;
        for (String path : System.getenv("PATH").split(":")) {
            found |= Path.of(path, "kcat").toFile().canExecute();
        }
        if (!found) {
            System.out.println("KcatTest is skipped, kcat is not installed");
        }
        Assumptions.assumeTrue(found, "kcat is not installed");
    }

    @Test
    void recordsDecodeByThePublishedSchemasAlone() throws IOException, InterruptedException {
        Plan plan = Guests.plan("every-op", "EPYC-Milan", "kvm-6.12");
        List<Envelope> live = Guests.events(plan);
        String log = "embedded:" + folder.resolve("log");
        try (FolderBroker broker = Journals.broker(folder.resolve("log"));
                Journal journal = Journals.open(log, Optional.empty())) {
            Recorded recorded = Guests.record(journal, plan);
            String partition;
            try (SessionReader reader = journal.open(recorded.session())) {
                partition = Integer.toString(reader.entry().partition());
            }
            Map<Long, Schema> schemas = schemas(kcat(broker, "-t", "trapline.schemas"));
            List<byte[]> records = kcat(broker, "-t", "trapline.events", "-p", partition);
            assertEquals(live.size(), records.size());
            for (int i = 0; i < records.size(); i++) {
                assertSame(live.get(i), decode(records.get(i), schemas));
            }
        }
    }

    /// Every value of a topic: kcat writes each with its length before it.
    private static List<byte[]> kcat(FolderBroker broker, String... topic)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("kcat", "-b", broker.address(), "-C"));
        command.addAll(List.of(topic));
        command.addAll(List.of("-o", "beginning", "-e", "-q", "-f", "%R%s"));
        Process process =
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        List<byte[]> values = new ArrayList<>();
        byte[] out = process.getInputStream().readAllBytes();
        ByteBuffer rest = ByteBuffer.wrap(out);
        while (rest.hasRemaining()) {
            byte[] value = new byte[rest.getInt()];
            rest.get(value);
            values.add(value);
        }
        assertEquals(0, process.waitFor());
        return values;
    }

    private static Map<Long, Schema> schemas(List<byte[]> texts) {
        Map<Long, Schema> schemas = new TreeMap<>();
        for (byte[] text : texts) {
            Schema schema =
                    new SchemaParser().parse(new String(text, StandardCharsets.UTF_8)).mainSchema();
            schemas.put(SchemaNormalization.parsingFingerprint64(schema), schema);
        }
        return schemas;
    }

    /// The single-object header by hand, the rest by Avro.
    private static GenericRecord decode(byte[] record, Map<Long, Schema> schemas)
            throws IOException {
        ByteBuffer header = ByteBuffer.wrap(record, 0, HEADER);
        assertEquals(MARKER, header.getShort());
        long fingerprint = header.order(ByteOrder.LITTLE_ENDIAN).getLong();
        Schema schema = schemas.get(fingerprint);
        assertTrue(schema != null, () -> "no schema " + Long.toHexString(fingerprint));
        BinaryDecoder body =
                DecoderFactory.get().binaryDecoder(record, HEADER, record.length - HEADER, null);
        GenericRecord decoded = new GenericDatumReader<GenericRecord>(schema).read(null, body);
        assertTrue(body.isEnd());
        return decoded;
    }

    private static void assertSame(Envelope expected, GenericRecord found) {
        assertEquals(expected.stamp().order(), found.get("order"));
        assertEquals(expected.stamp().vcpu(), found.get("vcpu"));
        assertEquals(expected.stamp().seq(), found.get("seq"));
        assertEquals(expected.stamp().tick(), found.get("tick"));
        assertEquals(expected.stamp().cause(), found.get("cause"));
        GenericRecord event = (GenericRecord) found.get("event");
        assertEquals(expected.event().name(), event.getSchema().getName());
        if (expected.event() instanceof MsrWritten written) {
            assertEquals(Integer.toUnsignedLong(written.msr()), event.get("msr"));
            assertEquals(written.value(), event.get("value"));
            assertEquals(written.outcome().name(), event.get("outcome").toString());
        }
    }
}

package trapline.schemas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.avro.Schema;
import org.apache.avro.SchemaParser;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import trapline.engine.event.Event;
import trapline.engine.event.MsrValues;
import trapline.engine.event.Writes;

/// Records as a reader with Avro alone has them: the schema as published, and the bytes.
final class Wire {

    static final int HEADER = 10;

    /// Where a field of a schema stands in ours, if not under its own name.
    private static final Map<String, String> ELSEWHERE =
            Map.ofEntries(
                    Map.entry("Envelope.order", "stamp.order"),
                    Map.entry("Envelope.vcpu", "stamp.vcpu"),
                    Map.entry("Envelope.seq", "stamp.seq"),
                    Map.entry("Envelope.pcpu", "stamp.pcpu"),
                    Map.entry("Envelope.scope", "stamp.scope"),
                    Map.entry("Envelope.tick", "stamp.tick"),
                    Map.entry("Envelope.op", "stamp.op"),
                    Map.entry("Envelope.cause", "stamp.cause"),
                    Map.entry("SessionHeader.program", "versions.program"),
                    Map.entry("SessionHeader.modelVersion", "versions.model"),
                    Map.entry("SessionHeader.guestKind", "guest.kind"),
                    Map.entry("SessionHeader.guestName", "guest.name"),
                    Map.entry("SessionHeader.seed", "guest.seed"),
                    Map.entry("SessionHeader.vcpus", "machine.vcpus"),
                    Map.entry("SessionHeader.pcpus", "machine.pcpus"),
                    Map.entry("SessionHeader.platform", "machine.platform"),
                    Map.entry("ExitObserved.order", "stamp.order"),
                    Map.entry("ExitObserved.vcpu", "stamp.vcpu"),
                    Map.entry("ExitObserved.pcpu", "stamp.pcpu"),
                    Map.entry("ExitObserved.tick", "stamp.tick"),
                    Map.entry("ExitObserved.op", "stamp.op"),
                    Map.entry("ExitObserved.vendor", "reason.vendor"),
                    Map.entry("ExitObserved.reason", "reason.number"),
                    Map.entry("ExitObserved.reasonName", "reason.name"),
                    Map.entry("ExitObserved.qualification", "reason.qualification"),
                    Map.entry("ExitObserved.msr", "subject.msr"),
                    Map.entry("ExitObserved.write", "subject.write"),
                    Map.entry("ExitObserved.port", "subject.port"),
                    Map.entry("ExitObserved.reflected", "effort.reflected"),
                    Map.entry("ExitObserved.events", "effort.events"),
                    Map.entry("ExitObserved.mutations", "effort.mutations"),
                    Map.entry("ExitObserved.hostMsrReads", "effort.hostMsrReads"),
                    Map.entry("ExitObserved.hostMsrWrites", "effort.hostMsrWrites"),
                    Map.entry("ExitObserved.seq", "stamp.seq"),
                    Map.entry("ExitObserved.userspace", "effort.userspace"),
                    Map.entry("ExitObserved.handledNanos", "took.nanos"),
                    Map.entry("ExitObserved.handledCycles", "took.cycles"),
                    Map.entry("ViolationObserved.order", "stamp.order"),
                    Map.entry("ViolationObserved.vcpu", "stamp.vcpu"),
                    Map.entry("ViolationObserved.seq", "stamp.seq"),
                    Map.entry("ViolationObserved.tick", "stamp.tick"),
                    Map.entry("ViolationObserved.op", "stamp.op"),
                    Map.entry("InterceptionObserved.order", "stamp.order"),
                    Map.entry("InterceptionObserved.vcpu", "stamp.vcpu"),
                    Map.entry("InterceptionObserved.seq", "stamp.seq"),
                    Map.entry("InterceptionObserved.tick", "stamp.tick"),
                    Map.entry("InterceptionObserved.op", "stamp.op"));

    private Wire() {}

    /// The schema as a consumer gets it: from the text that is published.
    static Schema published(String name) {
        return new SchemaParser().parse(Schemas.of(name).toString()).mainSchema();
    }

    /// A record as Avro reads it; nothing may be left over.
    static GenericRecord read(Schema schema, byte[] record) {
        BinaryDecoder in =
                DecoderFactory.get().binaryDecoder(record, HEADER, record.length - HEADER, null);
        try {
            GenericRecord found = new GenericDatumReader<GenericRecord>(schema).read(null, in);
            assertTrue(in.isEnd(), "bytes are left over");
            return found;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The body that Avro itself would write.
    static byte[] write(Schema schema, Object datum) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
        try {
            new GenericDatumWriter<>(schema).write(datum, encoder);
            encoder.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /// Fails unless Avro's reading of a record says what ours does, field by field.
    static void assertSays(Object ours, Object avros, Schema schema, String path) {
        switch (schema.getType()) {
            case RECORD -> assertRecordSays(ours, (GenericRecord) avros, schema, path);
            case UNION -> {
                int branch = GenericData.get().resolveUnion(schema, avros);
                assertBranchSays(ours, avros, schema.getTypes().get(branch), path);
            }
            case ARRAY -> {
                List<?> found = (List<?>) avros;
                List<?> expected = items(ours);
                assertEquals(expected.size(), found.size(), path);
                for (int i = 0; i < found.size(); i++) {
                    assertSays(expected.get(i), found.get(i), schema.getElementType(), path);
                }
            }
            case LONG -> assertEquals(ours instanceof Integer i ? unsigned(i) : ours, avros, path);
            case INT, BOOLEAN, DOUBLE -> assertEquals(ours, avros, path);
            case ENUM, STRING -> assertEquals(ours.toString(), avros.toString(), path);
            case BYTES -> assertEquals(ByteBuffer.wrap((byte[]) ours), avros, path);
            case FIXED -> assertArrayEquals(fixed(ours), ((GenericData.Fixed) avros).bytes(), path);
            default -> fail(path + " is a " + schema);
        }
    }

    private static void assertRecordSays(
            Object ours, GenericRecord avros, Schema schema, String path) {
        if (schema.getName().equals("State")) {
            assertArrayEquals((byte[]) ours, write(schema, avros), path);
            return;
        }
        for (Schema.Field field : schema.getFields()) {
            if (!field.name().equals("crc")) {
                String inside = path + "." + field.name();
                String name = schema.getName() + "." + field.name();
                Object value = at(ours, ELSEWHERE.getOrDefault(name, field.name()));
                assertSays(value, avros.get(field.pos()), field.schema(), inside);
            }
        }
    }

    private static void assertBranchSays(Object ours, Object avros, Schema branch, String path) {
        if (ours instanceof Event) {
            assertEquals(ours.getClass().getSimpleName(), branch.getName(), path);
        }
        Object value = ours instanceof Optional<?> optional ? optional.orElse(null) : ours;
        if (value == null || avros == null) {
            assertEquals(value, avros, path);
        } else {
            assertSays(value, avros, branch, path);
        }
    }

    /// What stands at the end of a path of accessors.
    private static Object at(Object value, String path) {
        Object at = value;
        try {
            for (String step : path.split("\\.")) {
                at = at.getClass().getDeclaredMethod(step).invoke(at);
            }
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("no " + path + " in " + value.getClass(), e);
        }
        return at;
    }

    /// A write as its schema has it.
    private record Write(int place, long value) {}

    private record MsrValue(int msr, long value) {}

    private static List<?> items(Object ours) {
        return switch (ours) {
            case long[] numbers -> Arrays.stream(numbers).boxed().toList();
            case Writes writes ->
                    IntStream.range(0, writes.size())
                            .mapToObj(i -> new Write(writes.place(i), writes.value(i)))
                            .toList();
            case MsrValues values ->
                    IntStream.range(0, values.size())
                            .mapToObj(i -> new MsrValue(values.msr(i), values.value(i)))
                            .toList();
            default -> (List<?>) ours;
        };
    }

    private static Object unsigned(int value) {
        return Integer.toUnsignedLong(value);
    }

    private static byte[] fixed(Object ours) {
        if (ours instanceof Digest digest) {
            return digest.bytes();
        }
        int crc = (Integer) ours;
        return new byte[] {
            (byte) crc, (byte) (crc >>> 8), (byte) (crc >>> 16), (byte) (crc >>> 24)
        };
    }
}

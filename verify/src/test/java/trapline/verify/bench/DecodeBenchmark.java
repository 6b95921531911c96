package trapline.verify.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import trapline.engine.sim.Execution;
import trapline.engine.sim.Ingredients;
import trapline.engine.sim.ModelWorld;
import trapline.schemas.EventDecoder;
import trapline.schemas.EventEncoder;
import trapline.schemas.Framing;
import trapline.schemas.Schemas;

/// Records to events, against Avro's generic reader with a reused decoder and a reused record.
final class DecodeBenchmark implements Benchmarks.Benchmark {

    private static final int RUNS = 7;
    private static final int EVENTS = 500_000;

    @Override
    public Map<String, Object> run() throws IOException {
        List<byte[]> records = records();
        List<Double> ours = new ArrayList<>();
        List<Double> plain = new ArrayList<>();
        for (int i = 0; i < RUNS + 2; i++) {
            double our = ours(records);
            double avro = plain(records);
            if (i >= 2) {
                ours.add(our);
                plain.add(avro);
            }
        }
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("baseline", "GenericDatumReader, reused BinaryDecoder and record, no check");
        result.put("atLeast", 0.9);
        result.put("ratio", Figures.rounded(Figures.ratio(new Figures(ours), new Figures(plain))));
        result.put("eventsPerSecond", new Figures(ours).tree());
        result.put("baselineEventsPerSecond", new Figures(plain).tree());
        result.put(
                "bytesPerRecord",
                Figures.rounded(records.stream().mapToInt(r -> r.length).average().orElseThrow()));
        return result;
    }

    static List<byte[]> records() {
        Ingredients parts = Workload.plan("Icelake-Server", "kvm-6.1", EVENTS).ingredients();
        List<byte[]> records = new ArrayList<>();
        EventEncoder encoder = new EventEncoder(Framing.SINGLE_OBJECT);
        Execution execution =
                parts.machines(parts.policy())
                        .execution(
                                new ModelWorld(1, 1),
                                envelope -> records.add(encoder.encode(envelope)));
        execution.start();
        execution.run(parts.guest().start(1));
        return records;
    }

    /// With everything that reading a session does: header, chained CRC, order.
    private static double ours(List<byte[]> records) {
        EventDecoder decoder = new EventDecoder(Framing.Writers.OURS);
        long start = System.nanoTime();
        long ticks = 0;
        for (byte[] record : records) {
            ticks += decoder.decode(record).stamp().tick();
        }
        return perSecond(records, start, ticks);
    }

    private static double plain(List<byte[]> records) throws IOException {
        GenericDatumReader<GenericRecord> reader = new GenericDatumReader<>(Schemas.of("Envelope"));
        BinaryDecoder decoder = null;
        GenericRecord reused = null;
        long start = System.nanoTime();
        long ticks = 0;
        for (byte[] record : records) {
            decoder = DecoderFactory.get().binaryDecoder(record, 10, record.length - 10, decoder);
            reused = reader.read(reused, decoder);
            ticks += (long) reused.get("tick");
        }
        return perSecond(records, start, ticks);
    }

    private static double perSecond(List<byte[]> records, long start, long ticks) {
        if (ticks == 0) {
            throw new IllegalStateException();
        }
        return records.size() / ((System.nanoTime() - start) / 1e9);
    }
}

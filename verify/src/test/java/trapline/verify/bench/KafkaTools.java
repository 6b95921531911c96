package trapline.verify.bench;

import java.io.IOException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Kafka's own performance tools, each in a process of its own.
final class KafkaTools {

    private static final Pattern PRODUCED =
            Pattern.compile("^\\d+ (?:steady state )?records sent, ([\\d.]+) records/sec.*");

    private KafkaTools() {}

    /// Records per second of `kafka-producer-perf-test`, with the client settings that a recorder
    /// has.
    ///
    /// @param warmup how many it sends before those that count
    static double produce(String address, String topic, long records, long warmup, int size)
            throws IOException, InterruptedException {
        try (Child child =
                Child.tool(
                        "1g",
                        "org.apache.kafka.tools.ProducerPerformance",
                        "--topic",
                        topic,
                        "--num-records",
                        Long.toString(warmup + records),
                        "--warmup-records",
                        Long.toString(warmup),
                        "--record-size",
                        Integer.toString(size),
                        "--throughput",
                        "-1",
                        "--command-property",
                        "bootstrap.servers=" + address,
                        "acks=all",
                        "enable.idempotence=true",
                        "max.in.flight.requests.per.connection=5",
                        "batch.size=262144",
                        "linger.ms=5",
                        "buffer.memory=16777216",
                        "compression.type=lz4")) {
            Matcher matcher = PRODUCED.matcher(child.lines().getLast());
            if (!matcher.matches()) {
                throw new IOException("the producer's tool says no rate");
            }
            return Double.parseDouble(matcher.group(1));
        }
    }

    /// Records per second of `kafka-consumer-perf-test`, without the time of joining its group.
    static double consume(String address, String topic, long records)
            throws IOException, InterruptedException {
        try (Child child =
                Child.tool(
                        "1g",
                        "org.apache.kafka.tools.ConsumerPerformance",
                        "--bootstrap-server",
                        address,
                        "--topic",
                        topic,
                        "--num-records",
                        Long.toString(records),
                        "--timeout",
                        "60000",
                        "--hide-header")) {
            List<String> lines = child.lines();
            String[] cells = lines.getLast().split(",");
            return Double.parseDouble(cells[cells.length - 1].strip());
        }
    }
}

package trapline.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/// The options that every command takes, before or after its name.
final class Globals {

    /// How results are printed on standard output.
    enum Format {
        TEXT,
        JSON;

        @Override
        public String toString() {
            return this == TEXT ? "text" : "json";
        }
    }

    @Option(
            names = "--log",
            paramLabel = "LOG",
            scope = ScopeType.INHERIT,
            defaultValue = LogAddress.DEFAULT,
            description = {
                "Where sessions are. embedded:DIR is a Kafka broker in this process, or the one that"
                        + " another runs on that folder; kafka:HOST:PORT[,...] are brokers elsewhere;"
                        + " file:DIR is a folder of Avro files, file:X.avro one of them.",
                "Default: ${DEFAULT-VALUE}"
            })
    LogAddress log;

    @Option(
            names = "--kafka-config",
            paramLabel = "FILE",
            scope = ScopeType.INHERIT,
            description =
                    "Kafka client properties (TLS, SASL, compression, ...), and Trapline's own.")
    Path kafkaConfig;

    @Option(
            names = "--format",
            paramLabel = "text|json",
            scope = ScopeType.INHERIT,
            defaultValue = "text",
            description = {
                "How results are printed: json is one document, or one line a row for 'events'.",
                "Default: ${DEFAULT-VALUE}"
            })
    Format format;

    @Option(
            names = "--quiet",
            scope = ScopeType.INHERIT,
            description = "No progress and no messages on standard error, errors excepted.")
    boolean quiet;
}

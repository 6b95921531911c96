package trapline.schemas;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.SchemaParser;

/// The schemas of this version, by name, and their fingerprints.
public final class Schemas {

    /// The records that stand for themselves in a topic or a file, rather than inside another.
    public static final Collection<String> TOP_LEVEL =
            java.util.List.of(
                    "Envelope",
                    "CatalogueEntry",
                    "CheckpointPage",
                    "Checkpoint",
                    "Blob",
                    "ExitObserved",
                    "ExitStatistics",
                    "ViolationObserved",
                    "InterceptionObserved",
                    "ExitWindow",
                    "FleetRun",
                    "FleetTask",
                    "FleetResult");

    private static final SortedMap<String, Schema> BY_NAME = load();

    /// Whoever opens a session asks for the same few.
    private static final Map<Schema, Long> FINGERPRINTS = new ConcurrentHashMap<>();

    private Schemas() {}

    public static Schema of(String name) {
        Schema schema = BY_NAME.get(name);
        if (schema == null) {
            throw new IllegalArgumentException("no schema " + name);
        }
        return schema;
    }

    public static SortedMap<String, Schema> all() {
        return Collections.unmodifiableSortedMap(BY_NAME);
    }

    /// The CRC-64-AVRO fingerprint that single-object encoding names a schema by.
    public static long fingerprint(Schema schema) {
        return FINGERPRINTS.computeIfAbsent(schema, SchemaNormalization::parsingFingerprint64);
    }

    private static SortedMap<String, Schema> load() {
        SchemaParser parser = new SchemaParser();
        try {
            for (String file : text("index.txt").lines().toList()) {
                parser.parse(text(file));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        SortedMap<String, Schema> schemas = new TreeMap<>();
        for (Schema schema : parser.getParsedNamedSchemas()) {
            schemas.put(schema.getName(), schema);
        }
        return schemas;
    }

    private static String text(String file) throws IOException {
        try (InputStream in = Schemas.class.getResourceAsStream("/trapline/schemas/" + file)) {
            BufferedReader reader =
                    new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
            StringBuilder text = new StringBuilder();
            reader.lines().forEach(line -> text.append(line).append('\n'));
            return text.toString();
        }
    }

    /// The schemas of [#TOP_LEVEL] by fingerprint, each with all it refers to: what a log publishes.
    public static Map<Long, Schema> published() {
        Map<Long, Schema> schemas = new TreeMap<>();
        for (String name : TOP_LEVEL) {
            schemas.put(fingerprint(of(name)), of(name));
        }
        return schemas;
    }
}

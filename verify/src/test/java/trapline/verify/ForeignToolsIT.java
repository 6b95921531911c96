package trapline.verify;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;
import org.apache.avro.file.DataFileReader;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.io.LocalInputFile;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent;
import trapline.engine.event.GuestEvent.InstructionsRetired;
import trapline.engine.event.HardwareEvent;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.event.HypervisorEvent;
import trapline.engine.event.InputEvent;
import trapline.engine.table.Msrs;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.recorder.Plan;

/// Exports opened by tools that none of us wrote; what they find is held against the engine's own events, and
/// against the lines of a real trace.
///
/// Perfetto's trace processor comes from an npm package, see `.ci/run`. What is not installed is skipped, unless
/// `-Dtrapline.tools=required`.
class ForeignToolsIT {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path DIST = Path.of("../cli/target/dist").toAbsolutePath().normalize();
    private static final Path PROCESSOR =
            Path.of("target/tools/package/assets/trace-processor").toAbsolutePath();
    private static final Path BOOT =
            Path.of(
                    "../recorder/src/test/resources/trapline/traces/linux-6.1-boot.kvm.ftrace.txt.gz");

    @TempDir static Path folder;

    private static List<Envelope> live;

    @BeforeAll
    static void record() throws Exception {
        Plan plan = Guests.plan("nested-spec-ctrl", "Icelake-Server", "kvm-6.1");
        live = Guests.events(plan);
        try (Journal journal = Journals.open("file:" + folder.resolve("model"), Optional.empty())) {
            Guests.record(journal, plan);
        }
        trapline("import", BOOT.toString(), "--log", "file:" + folder.resolve("trace"));
    }

    /// Exports the only session of a log.
    private static Path export(String log, String form) throws Exception {
        Path file = folder.resolve(log + "." + form);
        if (!Files.exists(file)) {
            trapline(
                    "export",
                    "last",
                    "--to",
                    form,
                    "--out",
                    file.toString(),
                    "--log",
                    "file:" + folder.resolve(log));
        }
        return file;
    }

    private static void trapline(String... words) throws Exception {
        List<String> command = new ArrayList<>(List.of(DIST.resolve("trapline").toString()));
        command.addAll(List.of(words));
        run(command);
    }

    private static String run(List<String> command) throws Exception {
        Path err = Files.createTempFile(folder, "err", "");
        Process process = new ProcessBuilder(command).redirectError(err.toFile()).start();
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertEquals(0, process.waitFor(), () -> command + ": " + text(err));
        return out;
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    private static void needs(String program) {
        boolean there =
                Arrays.stream(System.getenv("PATH").split(":"))
                        .anyMatch(path -> Files.isExecutable(Path.of(path, program)));
        require(there, program + " is not installed");
    }

    private static void require(boolean there, String otherwise) {
        if (!there) {
            assertTrue(!"required".equals(System.getProperty("trapline.tools")), otherwise);
            System.out.println("a test of ForeignToolsIT is skipped, " + otherwise);
        }
        Assumptions.assumeTrue(there, otherwise);
    }

    private static Map<String, Long> liveTypes() {
        return live.stream()
                .collect(
                        Collectors.groupingBy(
                                envelope -> envelope.event().name(),
                                TreeMap::new,
                                Collectors.counting()));
    }

    /// How often the trace has each tracepoint, by its lines.
    private static Map<String, Long> tracePoints() throws IOException {
        try (BufferedReader lines =
                new BufferedReader(
                        new InputStreamReader(
                                new GZIPInputStream(Files.newInputStream(BOOT)), UTF_8))) {
            return lines.lines()
                    .filter(line -> !line.startsWith("#"))
                    .collect(
                            Collectors.groupingBy(
                                    line -> line.replaceAll(".*?: (kvm_\\w+): .*", "$1"),
                                    TreeMap::new,
                                    Collectors.counting()));
        }
    }

    @Test
    void avrosOwnReaderReadsTheContainer() throws Exception {
        Map<String, Long> records = new TreeMap<>();
        try (DataFileReader<GenericRecord> reader =
                new DataFileReader<>(
                        export("model", "avro").toFile(), new GenericDatumReader<>())) {
            for (GenericRecord record : reader) {
                records.merge(record.getSchema().getName(), 1L, Long::sum);
            }
        }
        assertEquals(live.size(), records.get("Envelope"));
        assertEquals(2, records.get("CatalogueEntry"), "at its begin and at its end");
    }

    @Test
    void parquetsOwnReaderReadsTheFooter() throws Exception {
        try (ParquetFileReader reader =
                ParquetFileReader.open(
                        new LocalInputFile(export("model", "parquet")),
                        ParquetReadOptions.builder(new PlainParquetConfiguration()).build())) {
            assertEquals(live.size(), reader.getRecordCount());
            assertEquals(
                    "nested-spec-ctrl",
                    reader.getFileMetaData().getKeyValueMetaData().get("trapline.guest"));
        }
    }

    private static Map<String, Long> duckdb(String sql) throws SQLException {
        Map<String, Long> counts = new TreeMap<>();
        try (Connection connection = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                counts.put(rows.getString(1), rows.getLong(2));
            }
        }
        return counts;
    }

    @Test
    void duckdbCountsTheModelsEvents() throws Exception {
        Path parquet = export("model", "parquet");
        assertEquals(
                liveTypes(),
                duckdb("select type, count(*) from '%s' group by 1".formatted(parquet)));
        assertEquals(
                liveTypes(),
                duckdb(
                        "select type, count(*) from '%s' group by 1"
                                .formatted(export("model", "csv"))));
        Map<String, Long> written =
                duckdb(
                        "select msr, max(value) from '%s' where type = 'MsrWritten' group by 1"
                                .formatted(parquet));
        Map<String, Long> expected = new TreeMap<>();
        for (Envelope envelope : live) {
            if (envelope.event() instanceof GuestEvent.MsrWritten(_, int msr, long value, _)) {
                expected.merge(Msrs.name(msr), value, Math::max);
            }
        }
        assertEquals(expected, written);
    }

    @Test
    void duckdbCountsTheTracesLines() throws Exception {
        assertEquals(
                tracePoints(),
                duckdb(
                        "select point, count(*) from '%s' where point is not null group by 1"
                                .formatted(export("trace", "parquet"))));
    }

    @Test
    void pythonReadsTheCsv() throws Exception {
        needs("python3");
        String program =
                """
                import collections, csv, json, sys
                rows = list(csv.DictReader(open(sys.argv[1], newline=''), strict=True))
                assert all(None not in row and None not in row.values() for row in rows)
                print(json.dumps(collections.Counter(row[sys.argv[2]] for row in rows)))
                """;
        JsonNode types =
                JSON.readTree(
                        run(
                                List.of(
                                        "python3",
                                        "-c",
                                        program,
                                        export("model", "csv").toString(),
                                        "type")));
        assertEquals(JSON.valueToTree(liveTypes()), sorted(types));
        JsonNode points =
                JSON.readTree(
                        run(
                                List.of(
                                        "python3",
                                        "-c",
                                        program,
                                        export("trace", "csv").toString(),
                                        "event.point")));
        Map<String, Long> found = counts(points);
        found.remove("");
        assertEquals(tracePoints(), found);
    }

    @Test
    void jqReadsTheLines() throws Exception {
        needs("jq");
        String out =
                run(
                        List.of(
                                "jq",
                                "-n",
                                "reduce inputs as $row ({}; .[$row.type] += 1)",
                                export("model", "json").toString()));
        assertEquals(liveTypes(), counts(JSON.readTree(out)));
    }

    private static JsonNode sorted(JsonNode object) {
        return JSON.valueToTree(counts(object));
    }

    private static Map<String, Long> counts(JsonNode object) {
        Map<String, Long> counts = new TreeMap<>();
        object.properties().forEach(e -> counts.put(e.getKey(), e.getValue().longValue()));
        return counts;
    }

    /// The rows that each statement finds.
    private static List<JsonNode> processor(Path trace, String... statements) throws Exception {
        needs("node");
        require(Files.exists(PROCESSOR), PROCESSOR + " is not there");
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "node",
                                Path.of("src/test/tools/trace-processor.mjs").toString(),
                                PROCESSOR.toString(),
                                trace.toString()));
        command.addAll(List.of(statements));
        List<JsonNode> rows = new ArrayList<>();
        for (String line : run(command).lines().toList()) {
            rows.add(JSON.readTree(line));
        }
        return rows;
    }

    private static final String[] QUESTIONS = {
        "select count(*) n from slice",
        "select count(*) n from slice where name like 'VmEntered%'",
        "select count(*) n from flow",
        "select count(*) n from slice where name = 'L2' and depth = 0",
        "select count(*) n from slice s join slice p on s.parent_id = p.id where p.name = 'L2'",
        "select value n from counter join counter_track t on t.id = track_id where t.name like"
                + " 'vCPU 0 SPEC_CTRL of the guest%' order by ts desc limit 1",
        "select count(*) n from stats where severity != 'info' and value > 0",
        "select count(*) n from slice where dur < 0",
    };

    @ParameterizedTest
    @ValueSource(strings = {"perfetto", "chrome"})
    void theTraceProcessorFindsExitsArrowsAndCounters(String form) throws Exception {
        List<Long> found =
                processor(export("model", form), QUESTIONS).stream()
                        .map(rows -> rows.at("/0/n").longValue())
                        .toList();
        Drawn drawn = new Drawn();
        live.forEach(drawn::add);
        assertEquals(
                List.of(
                        drawn.slices + drawn.spans,
                        liveTypes().get("VmEntered"),
                        drawn.arrows,
                        drawn.spans,
                        drawn.insideL2,
                        drawn.specCtrl,
                        0L,
                        0L),
                found);
        assertTrue(drawn.spans > 0 && drawn.arrows > 0, drawn.toString());
    }

    /// What a timeline should have, by its description.
    private static final class Drawn {
        private long slices;
        private long arrows;
        private long spans;
        private long insideL2;
        private long specCtrl;
        private final Map<Integer, Long> open = new HashMap<>();
        private final Map<Integer, Boolean> inL2 = new HashMap<>();

        void add(Envelope envelope) {
            int vcpu = envelope.stamp().vcpu();
            Event event = envelope.event();
            boolean outside = open.containsKey(vcpu);
            boolean drawn =
                    event instanceof HardwareEvent
                            || event instanceof HypervisorEvent
                            || event instanceof InputEvent
                            || (event instanceof GuestEvent
                                    && !(event instanceof InstructionsRetired));
            slices += drawn ? 1 : 0;
            boolean effect = event instanceof HypervisorEvent || event instanceof HardwareEvent;
            if (event instanceof VmExited) {
                outside = false;
            } else if (effect && outside && envelope.stamp().cause() == open.get(vcpu)) {
                arrows++;
            }
            if (drawn && !outside && inL2.getOrDefault(vcpu, false)) {
                insideL2++;
            }
            if (event instanceof VmExited) {
                open.put(vcpu, envelope.stamp().order());
            } else if (event instanceof VmEntered entered) {
                open.remove(vcpu);
                boolean before = Boolean.TRUE.equals(inL2.put(vcpu, entered.level() == 2));
                spans += entered.level() == 2 && !before ? 1 : 0;
            }
            if (event instanceof GuestEvent.MsrWritten(_, int msr, long value, _) && msr == 0x48) {
                specCtrl = value;
            }
        }

        @Override
        public String toString() {
            return "slices %d arrows %d spans %d".formatted(slices, arrows, spans);
        }
    }

    @Test
    void theTraceProcessorFindsEachTracepointOfARealTrace() throws Exception {
        List<JsonNode> rows =
                processor(
                        export("trace", "perfetto"),
                        "select substr(name || ' ', 1, instr(name || ' ', ' ') - 1) point, count(*) n"
                                + " from slice group by 1",
                        "select count(*) n from stats where severity != 'info' and value > 0");
        Map<String, Long> found = new TreeMap<>();
        rows.getFirst()
                .forEach(row -> found.put(row.get("point").textValue(), row.get("n").longValue()));
        assertEquals(tracePoints(), found);
        assertEquals(0, rows.get(1).at("/0/n").longValue());
    }

    @Test
    void theTraceProcessorReadsFoldedStacks() throws Exception {
        List<JsonNode> rows =
                processor(
                        export("model", "folded"),
                        "select str_value n from metadata where name = 'trace_type'",
                        "select count(*) n from stack_profile_frame where name = 'vcpu0'");
        assertEquals("collapsed_stack", rows.getFirst().at("/0/n").textValue());
        assertEquals(1, rows.get(1).at("/0/n").longValue());
        long exits =
                Files.readAllLines(export("model", "folded")).stream()
                        .mapToLong(
                                line -> Long.parseLong(line.substring(line.lastIndexOf(' ') + 1)))
                        .sum();
        assertEquals(liveTypes().get("VmExited"), exits);
    }
}

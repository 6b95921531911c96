package trapline.verify;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import trapline.engine.event.Envelope;
import trapline.engine.event.GuestEvent.MsrReadBack;
import trapline.engine.event.GuestEvent.MsrWritten;
import trapline.engine.event.HardwareEvent.VmEntered;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.engine.table.ExitReasons;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.journal.broker.FolderBroker;
import trapline.recorder.Plan;

/// The programs of `docs/examples` count what the engine did.
class ConsumerExamplesTest {

    private static final Path EXAMPLES = Path.of("../docs/examples").toAbsolutePath().normalize();
    private static final String PYTHON = "/usr/bin/python3";

    @TempDir static Path folder;
    private static FolderBroker broker;
    private static String session;
    private static List<Envelope> live;

    @BeforeAll
    static void record() {
        Plan plan = Guests.plan("every-op", "Icelake-Server", "kvm-6.12");
        live = Guests.events(plan);
        broker = Journals.broker(folder.resolve("log"));
        try (Journal journal =
                Journals.open("embedded:" + folder.resolve("log"), Optional.empty())) {
            session = Guests.record(journal, plan).session();
        }
    }

    @AfterAll
    static void close() {
        broker.close();
    }

    @Test
    void pythonCountsExitsByReason() throws IOException, InterruptedException {
        Process modules = start(List.of(PYTHON, "-c", "import kafka, lz4, avro.io"));
        modules.getInputStream().readAllBytes();
        Programs.require(
                modules.waitFor() == 0,
                "python3-kafka, python3-lz4 and python3-avro are not installed");
        Map<String, Long> expected = new TreeMap<>();
        for (Envelope envelope : live) {
            if (envelope.event() instanceof VmExited exit) {
                String reason = ExitReasons.vmx(exit.reason());
                expected.merge(envelope.stamp().vcpu() + " " + reason, 1L, Long::sum);
            }
        }
        Map<String, Long> found = new TreeMap<>();
        for (String line :
                run(
                        List.of(
                                PYTHON,
                                EXAMPLES.resolve("exits.py").toString(),
                                broker.address(),
                                "2"))) {
            JsonNode row = new ObjectMapper().readTree(line);
            assertEquals(session, row.get("session").textValue());
            found.put(
                    row.get("vcpu").intValue() + " " + row.get("reason").textValue(),
                    row.get("count").longValue());
        }
        assertEquals(expected, found);
    }

    @Test
    void javaCountsAccessesToMsrs() throws IOException, InterruptedException {
        Map<String, Long> expected = new TreeMap<>();
        boolean[] outside = new boolean[64];
        for (Envelope envelope : live) {
            int vcpu = envelope.stamp().vcpu();
            switch (envelope.event()) {
                case VmExited _ -> outside[vcpu] = true;
                case VmEntered _ -> outside[vcpu] = false;
                case MsrWritten e when outside[vcpu] -> count(expected, e.msr(), "write");
                case MsrReadBack e when outside[vcpu] -> count(expected, e.msr(), "read");
                default -> {}
            }
        }
        Map<String, Long> found = new TreeMap<>();
        List<String> command =
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        EXAMPLES.resolve("ExitsConsumer.java").toString(),
                        broker.address());
        for (String line : run(command)) {
            int end = line.lastIndexOf(' ');
            found.put(line.substring(0, end), Long.valueOf(line.substring(end + 1)));
        }
        assertFalse(expected.isEmpty());
        assertEquals(expected, found);
    }

    private static void count(Map<String, Long> accesses, int msr, String access) {
        accesses.merge("%s 0x%x %s".formatted(session, msr, access), 1L, Long::sum);
    }

    private static Process start(List<String> command) throws IOException {
        return new ProcessBuilder(command).redirectError(folder.resolve("stderr").toFile()).start();
    }

    private static List<String> run(List<String> command) throws IOException, InterruptedException {
        Process process = start(command);
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        int code = process.waitFor();
        assertEquals("", code == 0 ? "" : Files.readString(folder.resolve("stderr")));
        return out.lines().toList();
    }
}

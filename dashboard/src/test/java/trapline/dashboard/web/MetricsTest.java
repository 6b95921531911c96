package trapline.dashboard.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import trapline.journal.Journal;
import trapline.journal.Journals;

/// What Prometheus scrapes is what the guest did.
class MetricsTest {

    private static final int LOOPS = 500;
    private static final Pattern SAMPLE = Pattern.compile("(\\w+)(?:\\{([^}]*)})? (\\S+)");

    @TempDir Path folder;

    /// Two vCPUs, each with a CPUID and an OUT a loop, and one write of SPEC_CTRL before it is passed through.
    @Test
    void countsAreTheGuests() throws Exception {
        try (Journal journal =
                        Journals.open("embedded:" + folder.resolve("log"), Optional.empty());
                WebServer server = WebServer.start(Listen.loopback(0), journal);
                Watched viewer = new Watched(server.port(), "")) {
            String session = Guests.record(journal, Guests.BUSY.formatted(LOOPS));
            viewer.await(seen ->
                    seen.exits(session) == 2 * (1 + 2 * LOOPS)
                            && seen.status(session).equals("closed"));
            Map<String, Double> text = scrape(server, "text/plain");
            String of = "session=\"" + session + "\"";
            for (int vcpu = 0; vcpu < 2; vcpu++) {
                String exits =
                        "trapline_exits_total{reason=\"%s\"," + of + ",vcpu=\"" + vcpu + "\"}";
                assertEquals(LOOPS, text.get(exits.formatted("CPUID")), text::toString);
                assertEquals(LOOPS, text.get(exits.formatted("IO_INSTRUCTION")));
                assertEquals(1, text.get(exits.formatted("MSR_WRITE")));
            }
            assertEquals(
                    2,
                    text.get(
                            "trapline_msr_accesses_total{access=\"write\",msr=\"IA32_SPEC_CTRL\","
                                    + of
                                    + "}"));
            assertEquals(2 * LOOPS, text.get("trapline_userspace_exits_total{" + of + "}"));
            assertEquals(1, text.get("trapline_sessions{status=\"closed\"}"));
            assertEquals(0, text.get("trapline_sessions{status=\"open\"}"));
            assertEquals(0, text.get("trapline_unreadable_records_total"));
            assertEquals(0, text.get("trapline_tail_lag_records"));
            assertEquals(
                    2 * (1 + 2 * LOOPS), text.get("trapline_handled_cycles_count{" + of + "}"));
            assertTrue(text.get("jvm_heap_used_bytes") > 0);
            Map<String, Double> open =
                    scrape(server, "application/openmetrics-text; version=1.0.0");
            text.keySet().removeIf(name -> !name.startsWith("trapline_"));
            open.keySet().removeIf(name -> !name.startsWith("trapline_"));
            assertEquals(text, open);
        }
    }

    /// Files tell of no exits, but there are sessions.
    @Test
    void sessionsInFilesAreThere() throws Exception {
        try (Journal journal = Journals.open("file:" + folder.resolve("log"), Optional.empty());
                WebServer server = WebServer.start(Listen.loopback(0), journal)) {
            Guests.record(journal, Guests.BUSY.formatted(1));
            Map<String, Double> text = scrape(server, "text/plain");
            assertEquals(1, text.get("trapline_sessions{status=\"closed\"}"));
            assertTrue(text.keySet().stream().noneMatch(name -> name.contains("session=")));
        }
    }

    /// Labels in the order of their names.
    private static Map<String, Double> scrape(WebServer server, String accept) {
        Asked answer = Asked.of(server.port(), "GET /metrics HTTP/1.1", "Accept: " + accept);
        assertEquals(200, answer.status(), answer.body());
        assertTrue(
                answer.header("Content-Type").orElse("").startsWith(accept.replaceAll(";.*", "")));
        assertEquals(accept.startsWith("application/"), answer.body().endsWith("# EOF\n"));
        Map<String, Double> samples = new TreeMap<>();
        answer.body()
                .lines()
                .filter(line -> !line.startsWith("#"))
                .forEach(line -> {
                    Matcher sample = SAMPLE.matcher(line);
                    assertTrue(sample.matches(), line);
                    String labels =
                            sample.group(2) == null
                                    ? ""
                                    : "{"
                                            + String.join(
                                                    ",",
                                                    new TreeSet<>(
                                                            List.of(sample.group(2).split(","))))
                                            + "}";
                    samples.put(sample.group(1) + labels, Double.parseDouble(sample.group(3)));
                });
        return samples;
    }
}

package trapline.verify;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import trapline.dashboard.web.Listen;
import trapline.dashboard.web.WebServer;
import trapline.engine.table.ExitReasons;
import trapline.engine.table.Msrs;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.recorder.Recorded;
import trapline.replayer.Session;
import trapline.replayer.Tally;

/// A real Prometheus scrapes a real recording; what it answers is what the events count to, and every panel of the
/// Grafana dashboard gets an answer.
class PrometheusIT {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final Path DASHBOARD =
            Path.of("../docker/grafana/dashboards/trapline.json").toAbsolutePath().normalize();

    @TempDir static Path folder;
    private static Journal journal;
    private static WebServer server;
    private static Process prometheus;
    private static int port;

    @BeforeAll
    static void start() throws IOException {
        Optional<Path> program = Programs.find("prometheus");
        Programs.require(program.isPresent(), "prometheus is not installed");
        journal = Journals.open("embedded:" + folder.resolve("log"), Optional.empty());
        server = WebServer.start(Listen.loopback(0), journal);
        Path config = folder.resolve("prometheus.yml");
        Files.writeString(
                config,
                """
                global:
                  scrape_interval: 1s
                scrape_configs:
                  - job_name: trapline
                    static_configs:
                      - targets: ["127.0.0.1:%d"]
                """
                        .formatted(server.port()));
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        prometheus =
                new ProcessBuilder(
                                program.get().toString(),
                                "--config.file=" + config,
                                "--storage.tsdb.path=" + folder.resolve("tsdb"),
                                "--web.listen-address=127.0.0.1:" + port)
                        .redirectErrorStream(true)
                        .redirectOutput(folder.resolve("prometheus.log").toFile())
                        .start();
    }

    @AfterAll
    static void stop() {
        if (prometheus != null) {
            prometheus.destroy();
            prometheus.onExit().join();
        }
        if (server != null) {
            server.close();
            journal.close();
        }
    }

    @Test
    void whatIsScrapedIsWhatStatCounts() throws Exception {
        Recorded recorded =
                Guests.record(journal, Guests.plan("every-op", "Icelake-Server", "kvm-6.12"));
        Tally tally = tally(recorded.session());
        String labels = "{session=\"%s\"}".formatted(recorded.session());

        Map<String, Double> exits = new TreeMap<>();
        tally.exitsByReason()
                .forEach((reason, count) -> exits.put(ExitReasons.vmx(reason), (double) count));
        awaitEqual(exits, "sum by (reason) (trapline_exits_total" + labels + ")", "reason");

        Map<String, Double> byVcpu = new TreeMap<>();
        for (int vcpu = 0; vcpu < tally.exitsByVcpu().length; vcpu++) {
            byVcpu.put(Integer.toString(vcpu), (double) tally.exitsByVcpu()[vcpu]);
        }
        awaitEqual(byVcpu, "sum by (vcpu) (trapline_exits_total" + labels + ")", "vcpu");

        Map<String, Double> writes = new TreeMap<>();
        tally.msrAccesses()
                .forEach((msr, count) -> {
                    if (count.writes() > 0) {
                        writes.put(Msrs.name((int) (long) msr), (double) count.writes());
                    }
                });
        awaitEqual(
                writes,
                "sum by (msr) (trapline_msr_accesses_total{session=\"%s\",access=\"write\"})"
                        .formatted(recorded.session()),
                "msr");
        awaitEqual(Map.of("closed", 1.0), "trapline_sessions{status=\"closed\"}", "status");
    }

    @Test
    void everyPanelOfTheGrafanaDashboardIsAnswered() throws Exception {
        Guests.record(journal, Guests.plan("nested-spec-ctrl", "EPYC-Rome", "kvm-6.1"));
        List<String> empty = new ArrayList<>();
        int asked = 0;
        for (JsonNode panel : JSON.readTree(DASHBOARD.toFile()).get("panels")) {
            for (JsonNode target : panel.get("targets")) {
                String query =
                        target.get("expr")
                                .textValue()
                                .replace("$session", ".*")
                                .replace("$__rate_interval", "1m");
                asked++;
                if (awaitSome(query).isEmpty()) {
                    empty.add(panel.get("title").textValue() + ": " + query);
                }
            }
        }
        assertTrue(asked > 10);
        // Heartbeats are of open sessions, measured times of imported ones.
        empty.removeIf(text ->
                text.contains("trapline_recorder_heartbeat_age_seconds{")
                        || text.contains("trapline_handled_seconds"));
        assertEquals(List.of(), empty);
    }

    private static Tally tally(String name) {
        try (Session session = Session.open(journal, name)) {
            Tally tally = new Tally(session.config().vendor(), session.vcpus());
            session.events((envelope, _) -> {
                tally.add(envelope);
                return true;
            });
            return tally;
        }
    }

    private static void awaitEqual(Map<String, Double> expected, String query, String label)
            throws Exception {
        Map<String, Double> found = Map.of();
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (System.nanoTime() < end && !found.equals(expected)) {
            Thread.sleep(200);
            found = byLabel(ask(query), label);
        }
        assertFalse(expected.isEmpty());
        assertEquals(new TreeMap<>(expected), found);
    }

    private static Map<String, Double> byLabel(JsonNode rows, String label) {
        Map<String, Double> values = new TreeMap<>();
        for (JsonNode row : rows) {
            values.put(row.at("/metric").path(label).asText(), row.at("/value/1").asDouble());
        }
        return values;
    }

    /// What a query answers, once it answers something; rates need a second scrape.
    private static JsonNode awaitSome(String query) throws Exception {
        JsonNode found = ask(query);
        // Panels of what no session here has are empty for good: a few scrapes tell.
        for (int i = 0; i < 60 && found.isEmpty(); i++) {
            Thread.sleep(250);
            found = ask(query);
        }
        return found;
    }

    private static JsonNode ask(String query) throws Exception {
        URI uri =
                URI.create(
                        "http://127.0.0.1:%d/api/v1/query?query=%s"
                                .formatted(port, URLEncoder.encode(query, UTF_8)));
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try (HttpClient client = HttpClient.newHttpClient()) {
                var answer =
                        client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
                if (answer.statusCode() != 503 || System.nanoTime() > end) {
                    assertEquals(200, answer.statusCode(), () -> query + "\n" + answer.body());
                    return JSON.readTree(answer.body()).at("/data/result");
                }
            } catch (IOException e) {
                if (System.nanoTime() > end) {
                    throw e;
                }
            }
            Thread.sleep(100); // it is starting
        }
    }
}

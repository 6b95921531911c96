package trapline.dashboard.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import trapline.journal.Journal;
import trapline.journal.Journals;

/// Policies are brought and compared over HTTP.
class DiffRoutesTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int LOOPS = 100;
    private static final String OURS = "X-Trapline: 1";

    /// SPEC_CTRL is passed through once a 7 is written, which no guest here does.
    private static final String MINE =
            """
            policy: mine
            extends: kvm-6.1
            spec-ctrl: {lift: value == 7u}
            """;

    @TempDir static Path folder;
    private static Journal journal;
    private static WebServer server;
    private static String session;

    @BeforeAll
    static void start() {
        journal = Journals.open("file:" + folder, Optional.empty());
        session = Guests.record(journal, Guests.BUSY.formatted(LOOPS));
        server = WebServer.start(Listen.loopback(0), journal);
    }

    @AfterAll
    static void stop() {
        server.close();
        journal.close();
    }

    private static Asked get(String path) {
        return Asked.of(server.port(), "GET " + path + " HTTP/1.1");
    }

    private static Asked post(String path, String body, String... headers) {
        List<String> lines = new ArrayList<>(List.of("POST " + path + " HTTP/1.1", OURS));
        lines.addAll(List.of(headers));
        return Asked.withBody(server.port(), body, lines.toArray(String[]::new));
    }

    private static JsonNode json(Asked answer, int status) throws JsonProcessingException {
        assertEquals(status, answer.status(), answer.body());
        return JSON.readTree(answer.body());
    }

    private static JsonNode done(String job) throws Exception {
        long deadline = System.currentTimeMillis() + 60_000;
        while (System.currentTimeMillis() < deadline) {
            JsonNode told = json(get("/api/diffs/" + job), 200);
            if (!told.get("state").asText().matches("waiting|running")) {
                return told;
            }
            Thread.sleep(50);
        }
        throw new AssertionError("never done");
    }

    private static JsonNode diff(String base, String candidate) throws Exception {
        String body =
                "{\"base\":%s,\"candidate\":\"%s\",\"costs\":null}"
                        .formatted(base == null ? "null" : '"' + base + '"', candidate);
        JsonNode job = json(post("/api/sessions/" + session + "/diffs", body), 202);
        return done(job.get("job").asText());
    }

    /// Each vCPU executes CPUID and OUT once a loop. Of its 1 + 2 * 100 writes of SPEC_CTRL kvm-6.1 sees the first,
    /// which is not 0, and passes the others through; MINE sees all.
    @Test
    void anUploadedPolicyIsCompared() throws Exception {
        JsonNode upload = json(post("/api/policies", MINE, "X-Name: mine%20%3Cb%3E.yaml"), 200);
        assertEquals("mine <b>.yaml", upload.get("name").asText());
        JsonNode told = diff(null, upload.get("id").asText());
        assertEquals("done", told.get("state").asText(), told.toString());
        JsonNode base = told.get("result").get("base").get("exits").get("byReason");
        JsonNode candidate = told.get("result").get("candidate").get("exits").get("byReason");
        assertEquals(2, base.get("MSR_WRITE").asLong());
        assertEquals(2 * (1 + 2 * LOOPS), candidate.get("MSR_WRITE").asLong());
        assertEquals(2 * LOOPS, candidate.get("CPUID").asLong());
        JsonNode timeline = told.get("timeline");
        assertEquals(2, timeline.get("vcpus").size());
        for (JsonNode vcpu : timeline.get("vcpus")) {
            assertEquals(1 + 2 * LOOPS, exits(vcpu.get("base"), "*"));
            assertEquals(1 + 4 * LOOPS, exits(vcpu.get("candidate"), "*"));
            assertEquals(1 + 2 * LOOPS, exits(vcpu.get("candidate"), "MSR_WRITE"));
            JsonNode was = specCtrl(vcpu.get("intercepts").get("base"));
            assertEquals("rw", was.get(0).get(2).asText());
            assertEquals("", was.get(was.size() - 1).get(2).asText());
            JsonNode is = specCtrl(vcpu.get("intercepts").get("candidate"));
            assertEquals(1, is.size());
            assertEquals("rw", is.get(0).get(2).asText());
        }
        assertTrue(get("/api/policies").body().contains(upload.get("id").asText()));
    }

    private static long exits(JsonNode bins, String reason) {
        long sum = 0;
        long last = 0;
        for (JsonNode bin : bins) {
            assertTrue(bin.get(0).asLong() > last, bins.toString());
            last = bin.get(1).asLong();
            sum += reason.equals("*") ? bin.get(2).asLong() : bin.get(3).path(reason).asLong();
        }
        return sum;
    }

    private static JsonNode specCtrl(JsonNode rows) {
        for (JsonNode row : rows) {
            if (row.get("msr").asText().equals("0x48") && row.get("bitmap").asInt() == 1) {
                return row.get("runs");
            }
        }
        throw new AssertionError(rows.toString());
    }

    @Test
    void whatIsWrongWithAPolicyIsSaidWithItsPlace() throws Exception {
        Asked answer =
                post(
                        "/api/policies",
                        "policy: x\nextends: kvm-6.1\nnonsense: 1\n",
                        "X-Name: x.yaml");
        String error = json(answer, 400).get("error").asText();
        assertTrue(error.startsWith("x.yaml:3:"), error);
        assertTrue(error.contains("nonsense"), error);
        assertEquals(413, post("/api/policies", "#".repeat(257 * 1024)).status());
        assertEquals(413, post("/api/policies", "#".repeat(400 * 1024)).status());
    }

    /// Only names that are built in or were brought: no file can be named, whichever it is.
    @Test
    void noPolicyIsReadFromAFile() throws Exception {
        Path file = Files.writeString(folder.resolve("policy.yaml"), MINE);
        for (String name : List.of(file.toString(), "../policy.yaml", "file:" + file, "-")) {
            String body = "{\"candidate\":\"%s\"}".formatted(name);
            String error =
                    json(post("/api/sessions/" + session + "/diffs", body), 400)
                            .get("error")
                            .asText();
            assertTrue(error.contains("policy"), error);
            String extending = "policy: x\nextends: %s\n".formatted(name);
            json(post("/api/policies", extending, "X-Name: x.yaml"), 400);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{ | 400",
                "[] | 400",
                "{\"candidate\":5} | 400",
                "{} | 400",
                "{\"candidate\":\"kvm-0\"} | 400",
                "{\"candidate\":\"kvm-6.1\",\"costs\":\"nobody's\"} | 400"
            })
    void wrongQuestionsAreRefused(String body, int status) throws Exception {
        Asked answer = post("/api/sessions/" + session + "/diffs", body);
        assertTrue(json(answer, status).has("error"), answer.body());
    }

    @Test
    void unknownOnesAreNotFound() throws Exception {
        String body = "{\"candidate\":\"kvm-6.6\"}";
        json(post("/api/sessions/nobody/diffs", body), 404);
        json(get("/api/diffs/0123"), 404);
        assertEquals(
                403,
                Asked.withBody(server.port(), body, "POST /api/sessions/x/diffs HTTP/1.1")
                        .status());
    }

    @Test
    void fourMayWait() throws Exception {
        String slow = Guests.record(journal, Guests.BUSY.formatted(60_000));
        String body = "{\"candidate\":\"kvm-6.6\"}";
        List<String> jobs = new ArrayList<>();
        String path = "/api/sessions/" + slow + "/diffs";
        Asked answer = post(path, body);
        while (answer.status() == 202 && jobs.size() < 10) {
            jobs.add(JSON.readTree(answer.body()).get("job").asText());
            answer = post(path, body);
        }
        assertEquals(429, answer.status(), answer.body());
        assertTrue(jobs.size() == 5 || jobs.size() == 4, jobs.toString());
        for (String job : jobs) {
            Asked cancelled =
                    Asked.of(server.port(), "DELETE /api/diffs/" + job + " HTTP/1.1", OURS);
            assertEquals("cancelled", json(cancelled, 200).get("state").asText());
            assertEquals("cancelled", done(job).get("state").asText());
        }
        assertEquals("done", diff("kvm-6.1", "kvm-6.6").get("state").asText());
    }

    @Test
    void costsAndPoliciesAreListed() throws Exception {
        JsonNode policies = json(get("/api/policies"), 200);
        assertTrue(policies.get("bases").toString().contains("\"kvm-6.18\""));
        assertEquals(
                "spec-ctrl",
                find(policies.get("mechanisms"), "mechanism", "spec-ctrl")
                        .get("mechanism")
                        .asText());
        assertTrue(json(get("/api/costs"), 200).get("costs").toString().contains("\"intel\""));
    }

    private static JsonNode find(JsonNode rows, String key, String value) {
        for (JsonNode row : rows) {
            if (row.get(key).asText().equals(value)) {
                return row;
            }
        }
        throw new AssertionError(rows.toString());
    }
}

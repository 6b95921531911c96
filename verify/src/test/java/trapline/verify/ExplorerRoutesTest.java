package trapline.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import trapline.dashboard.web.Listen;
import trapline.dashboard.web.WebServer;
import trapline.journal.Journal;
import trapline.journal.Journals;

/// What the explorer's paths answer, and what they say to questions that make no sense.
class ExplorerRoutesTest {

    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir Path folder;
    private final HttpClient client = HttpClient.newHttpClient();
    private Journal journal;
    private WebServer server;
    private String session;

    @BeforeEach
    void start() {
        journal = Journals.open("file:" + folder, Optional.empty());
        session =
                Guests.record(journal, Guests.plan("linux-6.1-tasks-2cpu", "EPYC-Milan", "kvm-6.1"))
                        .session();
        server = WebServer.start(Listen.loopback(0), journal);
    }

    @AfterEach
    void stop() {
        server.close();
        journal.close();
        client.close();
    }

    private HttpResponse<String> ask(String path) throws Exception {
        return client.send(
                HttpRequest.newBuilder(URI.create(server.url() + "api/sessions/" + path)).build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private JsonNode json(String path) throws Exception {
        HttpResponse<String> answer = ask(session + path);
        assertEquals(200, answer.statusCode(), answer.body());
        return JSON.readTree(answer.body());
    }

    @Test
    void everyPathAnswers() throws Exception {
        JsonNode info = json("");
        assertEquals(session, info.get("session").asText());
        long last = info.get("events").asLong();
        JsonNode end = json("/at?vcpu=1&seq=end");
        assertEquals(info.get("vcpus").get(1).get("events"), end.get("place").get("seq"));
        assertEquals(end.get("state"), json("/at?order=" + last + "&vcpu=1").get("state"));
        JsonNode exit = json("/seek?order=0&dir=next&to=exit");
        JsonNode at = json("/at?order=" + exit.get("place").get("order").asLong());
        assertEquals("VmExited", at.get("event").get("type").asText());
        assertEquals(exit.get("place"), at.get("place"));
        JsonNode back = json("/seek?order=" + last + "&vcpu=1&dir=previous&to=field:rip");
        assertEquals(1, back.get("place").get("vcpu").asInt());
        JsonNode timeline = json("/timeline?from=100&to=200&px=800&msrs=0x48");
        assertEquals(2, timeline.get("lanes").size());
        assertEquals(1, timeline.get("lanes").get(0).get("intercepts").size());
        assertEquals(last, json("/minimap?px=300").get("to").asLong());
    }

    @ParameterizedTest
    @CsvSource({
        "/at,                                 400, 'expected order=N, or vcpu=N and seq=N or seq=end'",
        "/at?vcpu=0,                          400, expected seq=N",
        "/at?vcpu=0&seq=-1,                   400, 'seq: expected a number from 0 on, found ''-1'''",
        "/at?vcpu=0&seq=99999999999999999999, 400, seq: expected a number from 0 on",
        "/at?vcpu=7&seq=1,                    404, 'has vCPUs 0 to 1, not 7'",
        "/at?vcpu=4294967296&seq=1,           404, has vCPUs 0 to 1",
        "/at?order=999999999,                 404, 'events, not 999999999'",
        "/at?vcpu=0&seq=999999999,            404, 'events, not 999999999'",
        "/seek?order=1&dir=up,                400, 'dir: expected next or previous, found ''up'''",
        "/seek?dir=next,                      400, expected order=N",
        "/seek?order=1&dir=next&to=door,      400, 'expected one of event, exit, entry'",
        "/seek?order=1&dir=next&to=msr:NIX,   400, no MSR 'NIX'",
        "/seek?order=1&dir=next&to=field:rop, 400, no field 'rop'",
        "/seek?order=1&dir=next&to=where:1,   400, expected",
        "/timeline?from=5&to=4,               400, 'to: expected 5 or more, found 4'",
        "/timeline?msrs=x,                    400, no MSR 'x'",
        "/timeline?px=many,                   400, px: expected a number from 0 on",
    })
    void questionsWithoutSenseAreRefused(String path, int status, String sentence)
            throws Exception {
        HttpResponse<String> answer = ask(session + path);
        assertEquals(status, answer.statusCode(), answer.body());
        String said = JSON.readTree(answer.body()).get("error").asText();
        assertTrue(said.contains(sentence), said);
    }

    @Test
    void noSuchSession() throws Exception {
        for (String path : new String[] {"", "/at?order=1", "/minimap"}) {
            HttpResponse<String> answer = ask("nothing" + path);
            assertEquals(404, answer.statusCode(), answer.body());
            assertTrue(answer.body().startsWith("{\"error\":\""), answer.body());
        }
    }
}

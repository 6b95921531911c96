package trapline.journal.kafka;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.SchemaParser;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.schemas.Framing;
import trapline.schemas.Schemas;
import trapline.schemas.Topics;

/// A schema registry, through the REST interface that most of them speak.
///
/// A password goes into the URL: `https://user:password@host/`.
final class SchemaRegistry {

    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final String JSON = "application/vnd.schemaregistry.v1+json";
    private static final int NOT_FOUND = 404;

    private final URI url;
    private final HttpClient http =
            HttpClient.newBuilder()
                    .connectTimeout(PATIENCE)
                    .followRedirects(HttpClient.Redirect.NORMAL)
                    .build();
    private final ObjectMapper json = new ObjectMapper();
    private final Map<Integer, Schema> known = new HashMap<>();

    SchemaRegistry(URI url) {
        this.url = url;
    }

    /// Registers this version's schemas, each under its topic's subject, and says how records name
    /// them from now on.
    Framing register(Topics topics) {
        Map<String, Integer> ids = new HashMap<>();
        subjects(topics).forEach((schema, subject) -> ids.put(schema, register(schema, subject)));
        return Framing.registry(ids);
    }

    /// A topic with more than one kind of record has its second one's name in the subject.
    private static Map<String, String> subjects(Topics topics) {
        return Map.ofEntries(
                Map.entry("Envelope", topics.events() + "-value"),
                Map.entry("CatalogueEntry", topics.sessions() + "-value"),
                Map.entry("CheckpointPage", topics.sessions() + "-trapline.CheckpointPage"),
                Map.entry("Checkpoint", topics.checkpoints() + "-value"),
                Map.entry("Blob", topics.blobs() + "-value"),
                Map.entry("ExitObserved", topics.exits() + "-value"),
                Map.entry("ExitStatistics", topics.exitStatistics() + "-value"),
                Map.entry("ViolationObserved", topics.violations() + "-value"),
                Map.entry("InterceptionObserved", topics.interceptions() + "-value"),
                Map.entry("ExitWindow", topics.exitWindows() + "-value"),
                Map.entry("FleetTask", topics.fleetTasks() + "-value"),
                Map.entry("FleetRun", topics.fleetTasks() + "-trapline.FleetRun"),
                Map.entry("FleetResult", topics.fleetResults() + "-value"));
    }

    private int register(String schema, String subject) {
        String body =
                json.createObjectNode().put("schema", Schemas.of(schema).toString()).toString();
        String path =
                "subjects/%s/versions"
                        .formatted(URLEncoder.encode(subject, StandardCharsets.UTF_8));
        HttpRequest request =
                request(path)
                        .header("Content-Type", JSON)
                        .POST(BodyPublishers.ofString(body))
                        .build();
        JsonNode id = checked(request, send(request)).path("id");
        if (!id.isInt()) {
            throw failure(Kind.REFUSED, request, "expected a schema's number, found none");
        }
        return id.intValue();
    }

    /// The schema with this number, or null where the registry has none.
    synchronized Schema schema(int id) {
        return known.computeIfAbsent(id, this::load);
    }

    private Schema load(int id) {
        HttpRequest request = request("schemas/ids/" + id).GET().build();
        HttpResponse<String> answer = send(request);
        if (answer.statusCode() == NOT_FOUND) {
            return null;
        }
        try {
            String text = checked(request, answer).path("schema").asText();
            return new SchemaParser().parse(text).mainSchema();
        } catch (AvroRuntimeException e) {
            throw failure(Kind.REFUSED, request, "expected an Avro schema, found something else");
        }
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(plain().resolve(path))
                        .timeout(PATIENCE)
                        .header("Accept", JSON + ", application/json");
        if (url.getUserInfo() != null) {
            byte[] user = url.getUserInfo().getBytes(StandardCharsets.UTF_8);
            request.header("Authorization", "Basic " + Base64.getEncoder().encodeToString(user));
        }
        return request;
    }

    /// Without the password, also for messages.
    private URI plain() {
        int port = url.getPort();
        String host = url.getHost() + (port < 0 ? "" : ":" + port);
        return URI.create("%s://%s%s".formatted(url.getScheme(), host, url.getPath()));
    }

    private HttpResponse<String> send(HttpRequest request) {
        try {
            return http.send(request, BodyHandlers.ofString());
        } catch (IOException e) {
            throw failure(Kind.UNREACHABLE, request, "the schema registry does not answer");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failure(Kind.UNREACHABLE, request, "interrupted");
        }
    }

    private JsonNode checked(HttpRequest request, HttpResponse<String> answer) {
        if (answer.statusCode() / 100 != 2) {
            String said = answer.body().lines().findFirst().orElse("").strip();
            throw failure(
                    Kind.REFUSED,
                    request,
                    "the schema registry answered %d %s".formatted(answer.statusCode(), said));
        }
        try {
            return json.readTree(answer.body());
        } catch (JsonProcessingException e) {
            throw failure(Kind.REFUSED, request, "expected JSON, found something else");
        }
    }

    private static JournalException failure(Kind kind, HttpRequest request, String message) {
        return new JournalException(kind, request.uri().toString(), message);
    }
}

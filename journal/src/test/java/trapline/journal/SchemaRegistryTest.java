package trapline.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import trapline.journal.JournalException.Kind;
import trapline.journal.broker.FolderBroker;

/// Recording with a schema registry; this one is a small fake that keeps schemas in memory.
class SchemaRegistryTest {

    private final ObjectMapper json = new ObjectMapper();
    private final List<String> schemas = new ArrayList<>();
    private final Map<String, Integer> subjects = new TreeMap<>();
    @TempDir Path folder;
    private HttpServer server;
    private FolderBroker broker;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
        broker = Journals.broker(folder.resolve("log"));
    }

    @AfterEach
    void stop() {
        server.stop(0);
        broker.close();
    }

    private synchronized void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        ObjectNode body = json.createObjectNode();
        int status = 200;
        if (path.startsWith("/subjects/")) {
            String schema = json.readTree(exchange.getRequestBody()).get("schema").asText();
            if (!schemas.contains(schema)) {
                schemas.add(schema);
            }
            subjects.put(path.split("/")[2], 100 + schemas.indexOf(schema));
            body.put("id", 100 + schemas.indexOf(schema));
        } else {
            int id = Integer.parseInt(path.substring(path.lastIndexOf('/') + 1)) - 100;
            status = id < schemas.size() ? 200 : 404;
            body.put("schema", id < schemas.size() ? schemas.get(id) : "");
        }
        byte[] bytes = body.toString().getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private Journal open(String url) throws IOException {
        Path config =
                Files.writeString(
                        folder.resolve("kafka.properties"), "trapline.schema.registry.url=" + url);
        return Journals.open("kafka:" + broker.address(), Optional.of(config));
    }

    private String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    @Test
    void recordsNameTheRegistrysSchemas() throws IOException {
        SampleSession session = new SampleSession("registered");
        try (Journal journal = open(url())) {
            session.record(journal, 5_000, 1_000);
            assertEquals(13, subjects.size());
            int id = subjects.get("trapline.events-value");
            assertEquals(5_000, session.verify(journal));
            try (SessionReader reader = journal.open("registered")) {
                assertEquals(5, reader.checkpoints());
                reader.read(
                        null,
                        (bytes, offset, _, _) -> {
                            assertEquals(0, bytes[offset]);
                            assertEquals(id, bytes[offset + 4]);
                            return false;
                        });
            }
        }
        try (Journal again = open(url() + "/")) {
            assertEquals(5_000, session.verify(again));
        }
    }

    @Test
    void aRegistryThatIsNotThereIsUnreachable() {
        String url = url();
        server.stop(0);
        JournalException found = assertThrows(JournalException.class, () -> open(url));
        assertEquals(Kind.UNREACHABLE, found.kind());
        assertTrue(found.getMessage().startsWith(url), found.getMessage());
    }
}

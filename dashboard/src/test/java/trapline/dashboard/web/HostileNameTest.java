package trapline.dashboard.web;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import trapline.engine.event.Stamp;
import trapline.engine.event.Stamp.Scope;
import trapline.engine.state.Vendor;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.journal.broker.FolderBroker;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.Codec;
import trapline.schemas.ExitObserved;
import trapline.schemas.Frame;
import trapline.schemas.Framing;
import trapline.schemas.SessionHeader;

/// What a log calls things is text, whatever it looks like.
class HostileNameTest {

    private static final String NAME = "<script>alert(1)</script>";

    /// A slash would make it a page of a session's list of checkpoints.
    private static final String SESSION = "<script>alert(1)";

    @TempDir Path folder;

    /// Our recorder refuses such a name; whoever may write to the topics need not.
    @Test
    void namesAreJsonAndNeverHtml() throws Exception {
        Path log = folder.resolve("log");
        try (FolderBroker broker = Journals.broker(log);
                Journal journal = Journals.open("embedded:" + log, Optional.empty());
                WebServer server = WebServer.start(Listen.loopback(0), journal);
                Watched viewer = new Watched(server.port(), "?session=%3Cscript%3Ealert(1)")) {
            write(broker.address(), "trapline.sessions", CatalogueEntry.CODEC, entry());
            write(broker.address(), "trapline.exits", ExitObserved.CODEC, exit());
            viewer.await(seen ->
                    seen.exits(SESSION) == 1
                            && seen.windows.size() == 1
                            && seen.sessions.get(SESSION).get("policy").asText().equals(NAME));
            Asked list = Asked.of(server.port(), "GET /api/sessions HTTP/1.1");
            assertEquals(
                    Optional.of("application/json;charset=utf-8"), list.header("Content-Type"));
            JsonNode row = new ObjectMapper().readTree(list.body()).get("sessions").get(0);
            assertEquals(SESSION, row.get("session").asText());
            assertEquals(NAME, row.get("guest").asText());
            Asked page =
                    Asked.of(
                            server.port(),
                            "GET /live/%3Cscript%3Ealert(1)%3C%2Fscript%3E HTTP/1.1");
            assertFalse(page.body().contains("alert(1)"), page.body());
            Asked missing =
                    Asked.of(server.port(), "GET /api/live/%3Cb%3E/range?from=1&to=2 HTTP/1.1");
            assertEquals(404, missing.status());
            assertEquals(
                    Optional.of("application/json;charset=utf-8"), missing.header("Content-Type"));
            Asked metrics = Asked.of(server.port(), "GET /metrics HTTP/1.1");
            assertTrue(metrics.body().contains("session=\"" + SESSION + "\""), metrics.body());
            assertTrue(metrics.header("Content-Type").orElse("").startsWith("text/plain"));
        }
    }

    private static CatalogueEntry entry() {
        SessionHeader header =
                new SessionHeader(
                        SESSION,
                        System.currentTimeMillis(),
                        new SessionHeader.Versions(NAME, 1),
                        new SessionHeader.Guest(SessionHeader.GuestKind.SCENARIO, NAME, 1),
                        new SessionHeader.Machine(NAME, 1, 1),
                        NAME,
                        Optional.of(NAME),
                        List.of());
        return new CatalogueEntry(
                header, Status.OPEN, System.currentTimeMillis(), 0, 0, 0, 0, Optional.empty());
    }

    private static ExitObserved exit() {
        return new ExitObserved(
                SESSION,
                new Stamp(1, 0, 1, 0, Scope.VCPU, 1, 1, 0),
                1,
                new ExitObserved.Reason(Vendor.VMX, 10, NAME, 0),
                0,
                ExitObserved.Subject.NONE,
                new ExitObserved.Effort(false, 2, 0, 0, 0, false),
                System.currentTimeMillis(),
                ExitObserved.Took.UNKNOWN);
    }

    private static <T> void write(String broker, String topic, Codec<T> codec, T value)
            throws Exception {
        byte[] bytes =
                new Frame<>(codec, Framing.SINGLE_OBJECT, Framing.Writers.OURS).encode(value);
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(
                        Map.of("bootstrap.servers", broker),
                        new ByteArraySerializer(),
                        new ByteArraySerializer())) {
            producer.send(new ProducerRecord<>(topic, SESSION.getBytes(UTF_8), bytes)).get();
        }
    }
}

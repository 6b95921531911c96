package trapline.dashboard.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.journal.broker.FolderBroker;

/// Viewers that do not keep up, and brokers that go.
class ViewersTest {

    private static final int LOOPS = 20_000;

    /// Two vCPUs, a CPUID and an OUT each loop, one write of SPEC_CTRL.
    private static final long EXITS = 2 * (1 + 2 * LOOPS);

    @TempDir Path folder;

    @Test
    void oneThatTakesNothingSlowsNobodyAndMissesNothing() throws Exception {
        try (Journal journal =
                        Journals.open("embedded:" + folder.resolve("log"), Optional.empty());
                WebServer server = WebServer.start(Listen.loopback(0), journal);
                Watched quick = new Watched(server.port(), "");
                Watched slow = new Watched(server.port(), "")) {
            slow.await(seen -> !seen.types.isEmpty());
            slow.pause();
            String session = Guests.record(journal, Guests.BUSY.formatted(LOOPS));
            quick.await(
                    seen -> seen.exits(session) == EXITS && seen.status(session).equals("closed"));
            assertTrue(slow.exits(session) < EXITS, "it was not slow");
            slow.resume();
            slow.await(
                    seen -> seen.exits(session) == EXITS && seen.status(session).equals("closed"));
            assertEquals(quick.sessions, slow.sessions);
            assertTrue(slow.types.size() <= quick.types.size() + 1, "frames nobody needed");
        }
    }

    /// The broker is another's; the server is only told that it does not answer.
    @Test
    void aBrokerThatComesBackDoublesNothing() throws Exception {
        Path log = folder.resolve("log");
        FolderBroker broker = Journals.broker(log);
        try (Journal journal = Journals.open("kafka:" + broker.address(), Optional.empty());
                WebServer server = WebServer.start(Listen.loopback(0), journal);
                Watched viewer = new Watched(server.port(), "")) {
            String before = Guests.record(journal, Guests.BUSY.formatted(LOOPS));
            viewer.await(seen -> seen.exits(before) == EXITS);
            broker.close();
            viewer.await(seen -> seen.last.get("brokerErrors").asLong() > 0);
            assertEquals(503, Asked.of(server.port(), "GET /healthz HTTP/1.1").status());
            broker = Journals.broker(log);
            viewer.await(seen -> seen.status(before).equals("closed"));
            String after = Guests.record(journal, Guests.BUSY.formatted(LOOPS));
            viewer.await(seen -> seen.exits(after) == EXITS && seen.status(after).equals("closed"));
            assertEquals(EXITS, viewer.exits(before));
            assertEquals(200, Asked.of(server.port(), "GET /healthz HTTP/1.1").status());
        } finally {
            broker.close();
        }
    }
}

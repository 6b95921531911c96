package trapline.dashboard.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import trapline.journal.Journal;
import trapline.journal.Journals;

/// Who may ask the server, and what every answer says.
class SafetyTest {

    private static final String POLICY =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
                    + " font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    @TempDir Path folder;
    private Journal journal;
    private WebServer server;

    @BeforeEach
    void start() {
        journal = Journals.open("file:" + folder, Optional.empty());
        server = WebServer.start(Listen.loopback(0), journal);
    }

    @AfterEach
    void stop() {
        server.close();
        journal.close();
    }

    private Asked ask(String... lines) {
        return Asked.of(server.port(), lines);
    }

    /// Found pages, missing ones, refused ones, and what the HTTP server itself refuses.
    @ParameterizedTest
    @CsvSource({
        "GET / HTTP/1.1, 200",
        "GET /live/some-session HTTP/1.1, 200",
        "GET /api/sessions HTTP/1.1, 200",
        "GET /healthz HTTP/1.1, 200",
        "GET /nothing HTTP/1.1, 404",
        "GET /assets/../../etc/passwd HTTP/1.1, 400",
        "GET /%2e%2e/etc/passwd HTTP/1.1, 400",
        "GET /assets/%2fetc/passwd HTTP/1.1, 404",
        "GET /live/a%00b HTTP/1.1, 400",
        "DELETE /api/sessions HTTP/1.1, 403",
        "BREW / HTTP/1.1, 403",
        "GET / HTTP/9.9, 505"
    })
    void everyAnswerHasTheHeaders(String line, int status) {
        Asked answer = ask(line);
        assertEquals(status, answer.status(), answer.toString());
        assertEquals(
                Optional.of(POLICY), answer.header("Content-Security-Policy"), answer.toString());
        assertEquals(Optional.of("nosniff"), answer.header("X-Content-Type-Options"));
        assertEquals(Optional.of("DENY"), answer.header("X-Frame-Options"));
        assertEquals(Optional.of("no-referrer"), answer.header("Referrer-Policy"));
        assertEquals(Optional.of("same-origin"), answer.header("Cross-Origin-Resource-Policy"));
        assertEquals(Optional.empty(), answer.header("Server"));
        assertEquals(Optional.empty(), answer.header("X-Powered-By"));
        assertEquals(Optional.empty(), answer.header("Access-Control-Allow-Origin"));
        assertFalse(answer.body().contains("Exception") || answer.body().contains("\tat "));
        assertFalse(answer.body().contains("root:"), answer.body());
        if (status >= 400) {
            assertTrue(answer.body().startsWith("{\"error\":\""), answer.body());
            assertEquals(
                    Optional.of("application/json;charset=utf-8"), answer.header("Content-Type"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"127.0.0.1:%d", "localhost:%d", "LOCALHOST:%d", "[::1]:%d", "localhost:1"})
    void itsOwnNamesAreAnswered(String host) {
        assertEquals(200, ask("GET /api/sessions HTTP/1.1", "Host: " + at(host)).status());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "evil.example:%d",
                "127.0.0.1.evil.example:%d",
                "10.0.0.1:%d",
                "localhost.:%d"
            })
    void othersNamesAreNot(String host) {
        assertEquals(421, ask("GET /api/sessions HTTP/1.1", "Host: " + at(host)).status());
        assertEquals(421, ask("GET / HTTP/1.1", "Host: " + at(host)).status());
    }

    private String at(String host) {
        return host.formatted(server.port());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://evil.example",
                "http://127.0.0.1:1",
                "https://127.0.0.1:%d",
                "null",
                ""
            })
    void pagesOfOthersAreRefused(String origin) {
        String from = "Origin: " + at(origin);
        assertEquals(403, ask("GET /api/sessions HTTP/1.1", from).status());
        assertEquals(403, ask("POST /api/policies HTTP/1.1", from, "X-Trapline: 1").status());
        assertEquals(403, upgrade(from).status());
    }

    @Test
    void pagesOfOursAreNot() {
        String ours = "Origin: http://127.0.0.1:" + server.port();
        assertEquals(200, ask("GET /api/sessions HTTP/1.1", ours).status());
        assertEquals(405, ask("POST /api/sessions HTTP/1.1", ours, "X-Trapline: 1").status());
    }

    @Test
    void onlyScriptsOfOursChangeAnything() {
        assertEquals(403, ask("POST /api/sessions HTTP/1.1").status());
        assertEquals(405, ask("POST /api/sessions HTTP/1.1", "X-Trapline: 1").status());
    }

    @Test
    void otherSitesMayLinkToPagesButNotReadTheLog() {
        String foreign = "Sec-Fetch-Site: cross-site";
        assertEquals(200, ask("GET /session/x?order=5 HTTP/1.1", foreign).status());
        assertEquals(403, ask("GET /api/sessions HTTP/1.1", foreign).status());
        assertEquals(
                200, ask("GET /api/sessions HTTP/1.1", "Sec-Fetch-Site: same-origin").status());
    }

    private Asked upgrade(String... headers) {
        String[] lines = new String[5 + headers.length];
        lines[0] = "GET /api/live HTTP/1.1";
        lines[1] = "Upgrade: websocket";
        lines[2] = "Connection: Upgrade";
        lines[3] = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
        lines[4] = "Sec-WebSocket-Version: 13";
        System.arraycopy(headers, 0, lines, 5, headers.length);
        return ask(lines);
    }

    @Test
    void hugeRequestsAreRefused() {
        String large = "x".repeat(9_000);
        assertEquals(431, ask("GET / HTTP/1.1", "X-Large: " + large).status());
        assertEquals(414, ask("GET /?" + large + " HTTP/1.1").status());
    }

    /// RFC 5737 keeps this address for documents: no machine has it.
    @Test
    void nobodyListensBeyondThisMachineWithoutTlsAndToken() {
        InetAddress everywhere = InetAddress.ofLiteral("0.0.0.0");
        Listen open = new Listen(everywhere, 0, Set.of(), Optional.empty(), Optional.empty());
        assertEquals(List.of("--tls-key and --tls-cert", "--token-file"), open.missing());
        assertThrows(IllegalArgumentException.class, () -> WebServer.start(open, journal));
        Listen token =
                new Listen(
                        InetAddress.ofLiteral("192.0.2.1"),
                        0,
                        Set.of(),
                        Optional.empty(),
                        Optional.of("a".repeat(32)));
        assertEquals(List.of("--tls-key and --tls-cert"), token.missing());
        assertThrows(IllegalArgumentException.class, () -> WebServer.start(token, journal));
    }

    @Test
    void aTakenPortIsSaid() {
        NoListener taken =
                assertThrows(
                        NoListener.class,
                        () -> WebServer.start(Listen.loopback(server.port()), journal));
        assertTrue(
                taken.getMessage().startsWith("cannot listen on 127.0.0.1:" + server.port()),
                taken.getMessage());
    }
}

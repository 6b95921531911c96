package trapline.dashboard.web;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import trapline.engine.text.InputException;
import trapline.journal.Journal;
import trapline.journal.Journals;

/// A server that listens everywhere: with a key that was made for it, and a token.
class AccessTest {

    private static final String TOKEN = "0123456789abcdef0123456789ABCDEF";
    private static final char[] PASSWORD = "changeit".toCharArray();

    @TempDir static Path folder;
    private static KeyStore keys;
    private static Journal journal;
    private static WebServer server;

    @BeforeAll
    static void start() throws Exception {
        keys = keys(folder.resolve("keys.p12"));
        journal = Journals.open("file:" + folder.resolve("log"), Optional.empty());
        server =
                WebServer.start(
                        new Listen(
                                InetAddress.ofLiteral("0.0.0.0"),
                                0,
                                Set.of("watch.example"),
                                Optional.of(tls()),
                                Optional.of(TOKEN)),
                        journal);
    }

    @AfterAll
    static void stop() {
        server.close();
        journal.close();
    }

    private static KeyStore keys(Path file) throws Exception {
        Process keytool =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "keytool")
                                        .toString(),
                                "-genkeypair",
                                "-alias",
                                "web",
                                "-keyalg",
                                "EC",
                                "-dname",
                                "CN=watch.example",
                                "-storetype",
                                "PKCS12",
                                "-storepass",
                                new String(PASSWORD),
                                "-keystore",
                                file.toString())
                        .redirectErrorStream(true)
                        .start();
        String said = new String(keytool.getInputStream().readAllBytes(), US_ASCII);
        assertEquals(0, keytool.waitFor(), said);
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, PASSWORD);
        }
        return store;
    }

    private static String pem(String what, byte[] bytes) {
        return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
                .formatted(what, Base64.getMimeEncoder().encodeToString(bytes), what);
    }

    private static Tls tls() throws GeneralSecurityException {
        return Tls.ofPem(
                pem("PRIVATE KEY", keys.getKey("web", PASSWORD).getEncoded()),
                "key.pem",
                pem("CERTIFICATE", keys.getCertificate("web").getEncoded()),
                "cert.pem");
    }

    /// Over TLS, with this certificate trusted and no other.
    private static Asked ask(String... lines) throws GeneralSecurityException, IOException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("web", keys.getCertificate("web"));
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        try (Socket socket =
                context.getSocketFactory()
                        .createSocket(InetAddress.getLoopbackAddress(), server.port())) {
            String text = String.join("\r\n", lines);
            return Asked.on(
                    socket,
                    text
                            + (text.contains("Host:") ? "" : "\r\nHost: localhost")
                            + "\r\nConnection: close\r\n\r\n");
        }
    }

    @Test
    void itSpeaksTlsAlone() throws Exception {
        assertTrue(server.url().startsWith("https://localhost:"), server.url());
        assertEquals(200, ask("GET / HTTP/1.1").status());
        assertThrows(
                RuntimeException.class,
                () -> Asked.of(server.port(), "GET / HTTP/1.1"),
                "answered without TLS");
        try (Socket distrustful =
                SSLContext.getDefault()
                        .getSocketFactory()
                        .createSocket(InetAddress.getLoopbackAddress(), server.port())) {
            assertThrows(SSLHandshakeException.class, () -> distrustful.getOutputStream().write(0));
        }
    }

    @Test
    void theLogIsForThoseWithTheToken() throws Exception {
        for (String path :
                new String[] {"/api/sessions", "/metrics", "/api/live", "/api/policies"}) {
            String line = "GET " + path + " HTTP/1.1";
            assertEquals(401, ask(line).status(), path);
            assertEquals(
                    401,
                    ask(line, "Authorization: Bearer " + "x" + TOKEN.substring(1)).status(),
                    path);
            assertEquals(401, ask(line, "Cookie: trapline=" + TOKEN).status(), path);
        }
        assertEquals(
                200, ask("GET /api/sessions HTTP/1.1", "Authorization: Bearer " + TOKEN).status());
        assertEquals(200, ask("GET /metrics HTTP/1.1", "Authorization: Bearer " + TOKEN).status());
        for (String path : new String[] {"/", "/healthz", "/session/1?vcpu=0&seq=1", "/diff/1"}) {
            assertEquals(200, ask("GET " + path + " HTTP/1.1").status(), path);
        }
    }

    @Test
    void noSpellingOfAPathLeadsAroundTheToken() throws Exception {
        for (String path :
                new String[] {
                    "/api/sessions/",
                    "//api/sessions",
                    "/metrics/",
                    "/%6detrics",
                    "/live/../metrics",
                    "/METRICS",
                    "/anything"
                }) {
            int status = ask("GET " + path + " HTTP/1.1").status();
            assertTrue(status == 401 || status == 400, path + ": " + status);
        }
    }

    @Test
    void loggingInGivesACookieThatIsNotTheToken() throws Exception {
        Asked login = ask("GET /login?token=" + TOKEN + " HTTP/1.1");
        assertEquals(303, login.status());
        assertEquals(Optional.of("/"), login.header("Location"));
        String cookie = login.header("Set-Cookie").orElseThrow();
        for (String attribute : new String[] {"HttpOnly", "Secure", "SameSite=Strict", "Path=/"}) {
            assertTrue(cookie.contains(attribute), cookie);
        }
        assertFalse(cookie.contains(TOKEN));
        String value = cookie.substring(0, cookie.indexOf(';'));
        assertEquals(200, ask("GET /api/sessions HTTP/1.1", "Cookie: " + value).status());
        assertEquals(401, ask("GET /api/sessions HTTP/1.1", "Cookie: " + value + "0").status());
    }

    @Test
    void itsNamesAreThoseItWasGiven() throws Exception {
        assertEquals(200, ask("GET / HTTP/1.1", "Host: watch.example:443").status());
        assertEquals(421, ask("GET / HTTP/1.1", "Host: other.example").status());
    }

    /// The clock is the test's own; ten wrong ones a minute.
    @Test
    void whoGuessesIsNotAskedAgainForAMinute() {
        AtomicLong now = new AtomicLong(1_000_000);
        Token token = new Token(TOKEN, now::get);
        for (int i = 0; i < 10; i++) {
            assertFalse(token.accepts("wrong", "203.0.113.1"));
        }
        assertEquals(
                429,
                assertThrows(Problem.class, () -> token.accepts(TOKEN, "203.0.113.1")).status());
        assertTrue(token.accepts(TOKEN, "203.0.113.2"));
        now.addAndGet(59_999);
        assertThrows(Problem.class, () -> token.accepts(TOKEN, "203.0.113.1"));
        now.addAndGet(1);
        assertTrue(token.accepts(TOKEN, "203.0.113.1"));
    }

    @Test
    void whatIsNoKeyIsSaid() {
        InputException converted =
                assertThrows(
                        InputException.class,
                        () ->
                                Tls.ofPem(
                                        "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END",
                                        "k",
                                        "",
                                        "c"));
        assertTrue(converted.getMessage().contains("PKCS #8"), converted.getMessage());
        assertThrows(InputException.class, () -> Tls.ofPem("hello", "k", "", "c"));
        assertThrows(
                InputException.class,
                () -> Tls.ofPem(pem("PRIVATE KEY", new byte[] {1, 2, 3}), "k", "", "c"));
    }
}

package trapline.dashboard.web;

import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.Enumeration;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.eclipse.jetty.http.HttpCookie;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Fields;
import trapline.replayer.JsonTree;

/// What every request passes before anything else looks at it: is it for us (Host), from a page of ours
/// (Origin), from somebody with the token?
///
/// Static files need no token: they say nothing of the log, and a link in a mail comes without the cookie.
final class Gate extends Handler.Wrapper {

    /// What only a page of ours, or a program, can send.
    static final String OURS = "X-Trapline";

    private static final Set<String> SAFE = Set.of("GET", "HEAD");

    private static final Pattern OPEN =
            Pattern.compile("/|/index\\.html|/healthz|/(assets|lib|live|session|diff)/.*");

    private final Listen listen;
    private final Set<String> hosts;
    private final Optional<Token> token;

    Gate(Listen listen) {
        this.listen = listen;
        hosts = hosts(listen);
        token = listen.token().map(secret -> new Token(secret, System::currentTimeMillis));
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
        SafeHeaders.addTo(response.getHeaders());
        try {
            checkHost(request);
            checkOrigin(request);
            if (token.isPresent() && path(request).equals("/login")) {
                login(request, response, callback);
                return true;
            }
            checkToken(request);
        } catch (Problem e) {
            refuse(response, callback, e);
            return true;
        }
        return super.handle(request, response, callback);
    }

    private static void refuse(Response response, Callback callback, Problem problem) {
        response.setStatus(problem.status());
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, Answers.JSON);
        String text = JsonTree.text(Answers.error(problem.getMessage()));
        Content.Sink.write(response, true, text, callback);
    }

    private static String path(Request request) {
        return String.valueOf(request.getHttpURI().getCanonicalPath());
    }

    /// Else a name of somebody else's that is made to mean this machine would let their pages read ours.
    private void checkHost(Request request) {
        String host = Request.getServerName(request);
        if (host == null || !hosts.contains(host.toLowerCase(Locale.ROOT))) {
            throw new Problem(
                    421,
                    "this server does not go by that name: --name adds one to those it listens on");
        }
    }

    private static Set<String> hosts(Listen listen) {
        Set<String> hosts = new HashSet<>();
        listen.names().forEach(name -> hosts.add(name.toLowerCase(Locale.ROOT)));
        InetAddress address = listen.address();
        if (address.isLoopbackAddress() || address.isAnyLocalAddress()) {
            hosts.addAll(Set.of("localhost", "127.0.0.1", "[::1]", "::1"));
        }
        if (address.isAnyLocalAddress()) {
            addInterfaces(hosts);
        } else {
            add(hosts, address);
        }
        return hosts;
    }

    private static void addInterfaces(Set<String> hosts) {
        try {
            Enumeration<NetworkInterface> all = NetworkInterface.getNetworkInterfaces();
            while (all.hasMoreElements()) {
                all.nextElement().inetAddresses().forEach(address -> add(hosts, address));
            }
        } catch (SocketException e) {
            // Then only those that were named.
        }
    }

    private static void add(Set<String> hosts, InetAddress address) {
        String text = address.getHostAddress().replaceAll("%.*", "");
        hosts.add(text);
        hosts.add("[" + text + "]");
    }

    private void checkOrigin(Request request) {
        HttpFields headers = request.getHeaders();
        boolean safe = SAFE.contains(request.getMethod()) && !headers.contains(HttpHeader.UPGRADE);
        boolean api = path(request).startsWith("/api/");
        String origin = headers.get(HttpHeader.ORIGIN);
        if ((!safe || api) && origin != null && !origin.equals(ourOrigin(request))) {
            throw new Problem(403, "a page of another origin may not ask this");
        }
        String site = headers.get("Sec-Fetch-Site");
        boolean foreign = site != null && !site.equals("same-origin") && !site.equals("none");
        if ((!safe || api) && foreign) {
            throw new Problem(403, "a page of another site may not ask this");
        }
        if (!SAFE.contains(request.getMethod()) && !headers.contains(OURS)) {
            throw new Problem(403, "expected the header %s: 1 with this method".formatted(OURS));
        }
    }

    private String ourOrigin(Request request) {
        return listen.scheme() + "://" + request.getHeaders().get(HttpHeader.HOST);
    }

    private void checkToken(Request request) {
        if (token.isEmpty() || !needsToken(path(request))) {
            return;
        }
        boolean cookie =
                Request.getCookies(request).stream()
                        .filter(found -> found.getName().equals(Token.COOKIE))
                        .anyMatch(found -> token.get().isCookie(found.getValue()));
        if (!cookie && !hasBearer(request)) {
            throw new Problem(
                    401,
                    "expected the token: /login?token=TOKEN in a browser, or Authorization: Bearer");
        }
    }

    /// The page's own files and the server's health say nothing of the log. All else, there or not, is asked for the token.
    private static boolean needsToken(String path) {
        return !OPEN.matcher(path).matches();
    }

    private boolean hasBearer(Request request) {
        String header = request.getHeaders().get(HttpHeader.AUTHORIZATION);
        return header != null
                && header.startsWith("Bearer ")
                && token.get().accepts(header.substring(7), Request.getRemoteAddr(request));
    }

    private void login(Request request, Response response, Callback callback) {
        Fields query = Request.extractQueryParameters(request, StandardCharsets.UTF_8);
        String offered = String.valueOf(query.getValue("token"));
        if (!token.get().accepts(offered, Request.getRemoteAddr(request))) {
            throw new Problem(401, "this is not the token");
        }
        Response.addCookie(
                response,
                HttpCookie.build(Token.COOKIE, token.get().cookie())
                        .httpOnly(true)
                        .secure(listen.tls().isPresent())
                        .sameSite(HttpCookie.SameSite.STRICT)
                        .path("/")
                        .build());
        response.setStatus(303);
        response.getHeaders().put(HttpHeader.LOCATION, "/");
        Content.Sink.write(response, true, "", callback);
    }
}

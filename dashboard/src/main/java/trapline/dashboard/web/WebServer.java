package trapline.dashboard.web;

import io.javalin.Javalin;
import io.javalin.compression.CompressionStrategy;
import io.javalin.config.JavalinConfig;
import java.time.Duration;
import java.util.List;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import trapline.dashboard.live.Live;
import trapline.journal.Journal;

/// Serves the page and what it asks for, until it is closed.
public final class WebServer implements AutoCloseable {

    private static final int MOST_CONNECTIONS = 256;
    private static final long LARGEST_REQUEST = 300 * 1024;
    private static final int LARGEST_HEADER = 8 * 1024;
    private static final long IDLE_MILLIS = 60_000;

    /// Of a viewer's, who has nothing to say.
    private static final long LARGEST_MESSAGE = 1024;

    /// What is on its way to one viewer; more would be old when it arrives.
    private static final int SEND_BUFFER = 256 * 1024;

    private final Listen listen;
    private final Javalin javalin;
    private final List<Routes> routes;
    private final Live statistics;

    private WebServer(Listen listen, Javalin javalin, List<Routes> routes, Live statistics) {
        this.listen = listen;
        this.javalin = javalin;
        this.routes = routes;
        this.statistics = statistics;
    }

    /// @throws NoListener if it cannot listen there
    public static WebServer start(Listen listen, Journal journal) {
        boolean live = !journal.location().startsWith("file:");
        if (!listen.missing().isEmpty()) {
            throw new IllegalArgumentException("beyond loopback without " + listen.missing());
        }
        Live statistics = new Live(journal);
        List<Routes> all = routes(listen, journal, statistics, live);
        Javalin javalin = Javalin.create(config -> configure(config, listen, all));
        try {
            javalin.start();
        } catch (RuntimeException e) {
            javalin.stop();
            all.forEach(Routes::close);
            throw NoListener.of(e, listen);
        }
        if (live) {
            statistics.start();
        }
        return new WebServer(listen, javalin, all, statistics);
    }

    /// All there is to ask for. Whoever adds a path adds its [Routes] here.
    private static List<Routes> routes(
            Listen listen, Journal journal, Live statistics, boolean live) {
        Uploads uploads = new Uploads();
        return List.of(
                new Failures(),
                new StaticFiles(),
                new Health(statistics, listen.token().isEmpty()),
                new SessionList(journal, live),
                new SessionExplorer(journal),
                new LiveRoutes(statistics),
                new ExitLines(journal),
                new Metrics(statistics),
                new PolicyRoutes(uploads),
                new DiffRoutes(journal, uploads));
    }

    private static void configure(JavalinConfig config, Listen listen, List<Routes> all) {
        config.startup.showJavalinBanner = false;
        config.startup.showOldJavalinVersionWarning = false;
        config.startup.startupWatcherEnabled = false;
        config.concurrency.useVirtualThreads = true;
        config.http.compressionStrategy = CompressionStrategy.NONE;
        config.http.generateEtags = false;
        config.http.maxRequestSize = LARGEST_REQUEST;
        config.http.defaultContentType = Answers.JSON;
        config.http.prefer405over404 = true;
        config.router.ignoreTrailingSlashes = false;
        config.jetty.addConnector((server, http) -> connector(server, http, listen));
        config.jetty.modifyServer(server -> {
            server.setHandler(new Gate(listen));
            server.setErrorHandler(new PlainErrors());
            server.addBean(new NetworkConnectionLimit(MOST_CONNECTIONS, server));
            server.setStopTimeout(0);
        });
        config.jetty.modifyWebSocketServletFactory(sockets -> {
            sockets.setMaxTextMessageSize(LARGEST_MESSAGE);
            sockets.setMaxBinaryMessageSize(LARGEST_MESSAGE);
            sockets.setMaxOutgoingFrames(-1);
            sockets.setIdleTimeout(Duration.ofMillis(IDLE_MILLIS));
        });
        config.jetty.modifyServletContextHandler(
                context -> context.setErrorHandler(new PlainErrors()));
        all.forEach(routes -> routes.addTo(config.routes));
    }

    private static Connector connector(Server server, HttpConfiguration http, Listen listen) {
        http.setSendServerVersion(false);
        http.setSendXPoweredBy(false);
        http.setRequestHeaderSize(LARGEST_HEADER);
        HttpConnectionFactory plain = new HttpConnectionFactory(http);
        ServerConnector connector;
        if (listen.tls().isPresent()) {
            SecureRequestCustomizer secure = new SecureRequestCustomizer();
            secure.setSniHostCheck(false);
            http.addCustomizer(secure);
            connector =
                    new ServerConnector(
                            server,
                            new SslConnectionFactory(
                                    listen.tls().get().factory(), plain.getProtocol()),
                            plain);
        } else {
            connector = new ServerConnector(server, plain);
        }
        connector.setHost(listen.address().getHostAddress());
        connector.setPort(listen.port());
        connector.setIdleTimeout(IDLE_MILLIS);
        connector.setAcceptedSendBufferSize(SEND_BUFFER);
        return connector;
    }

    public int port() {
        return javalin.port();
    }

    /// Where a browser on this machine finds it.
    public String url() {
        String host = listen.address().isAnyLocalAddress() ? "localhost" : literal();
        return "%s://%s:%d/".formatted(listen.scheme(), host, port());
    }

    private String literal() {
        String text = listen.address().getHostAddress();
        return text.contains(":") ? "[" + text + "]" : text;
    }

    @Override
    public void close() {
        statistics.close();
        javalin.stop();
        routes.forEach(Routes::close);
    }
}

package trapline.fleet;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import trapline.engine.table.Msrs;
import trapline.fleet.diff.Diffs;
import trapline.fleet.diff.FleetCounters;
import trapline.fleet.statistics.Counters;
import trapline.fleet.statistics.Statistics;
import trapline.replayer.JsonTree;
import trapline.schemas.ExitWindow;

/// What a worker answers over HTTP on this machine: windows of a session, health, counters.
final class Answers implements AutoCloseable {

    private static final int THREADS = 2;

    /// What Kafka Streams calls itself while it works.
    private static final Set<String> WORKING = Set.of("CREATED", "RUNNING", "REBALANCING");

    private static final String JSON = "application/json";

    private final HttpServer server;
    private final ExecutorService threads =
            Executors.newFixedThreadPool(
                    THREADS,
                    task -> {
                        Thread thread = new Thread(task, "trapline-answers");
                        thread.setDaemon(true);
                        return thread;
                    });
    private Optional<Statistics> statistics = Optional.empty();
    private Optional<Diffs> diffs = Optional.empty();

    Answers(InetSocketAddress listen) {
        try {
            server = HttpServer.create(listen, 0);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    new IOException(
                            "cannot listen on %s: %s".formatted(listen, e.getMessage()), e));
        }
        server.setExecutor(threads);
    }

    void start(Optional<Statistics> counting, Optional<Diffs> comparing) {
        statistics = counting;
        diffs = comparing;
        server.createContext("/windows", exchange -> answer(exchange, this::windows));
        server.createContext("/healthz", exchange -> answer(exchange, _ -> health()));
        server.createContext("/metrics", exchange -> answer(exchange, _ -> metrics()));
        server.createContext("/", exchange -> answer(exchange, _ -> unknown()));
        server.start();
    }

    /// What the others are told of where it answers: this machine's name, since `127.0.0.1` is each one's own.
    String advertised() {
        return hostName() + ":" + server.getAddress().getPort();
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "localhost";
        }
    }

    URI address() {
        InetSocketAddress bound = server.getAddress();
        return URI.create("http://%s:%d".formatted(bound.getHostString(), bound.getPort()));
    }

    private record Answer(int status, String type, String body, Optional<String> location) {

        static Answer of(int status, Object tree) {
            return new Answer(status, JSON, JsonTree.text(tree) + "\n", Optional.empty());
        }

        static Answer error(int status, String sentence) {
            return of(status, Map.of("error", sentence));
        }
    }

    private interface Question {
        Answer ask(HttpExchange exchange);
    }

    private void answer(HttpExchange exchange, Question question) throws IOException {
        try (exchange) {
            Answer answer = checked(exchange, question);
            byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", answer.type());
            exchange.getResponseHeaders().set("X-Content-Type-Options", "nosniff");
            answer.location()
                    .ifPresent(where -> exchange.getResponseHeaders().set("Location", where));
            exchange.sendResponseHeaders(answer.status(), body.length);
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(body);
            }
        }
    }

    /// A page from elsewhere that was led here by its own name for this machine gets nothing.
    private Answer checked(HttpExchange exchange, Question question) {
        String host = exchange.getRequestHeaders().getFirst("Host");
        int port = address().getPort();
        if (!List.of("127.0.0.1:" + port, "localhost:" + port).contains(String.valueOf(host))) {
            return Answer.error(403, "expected a Host header of " + address().getAuthority());
        }
        if (!exchange.getRequestMethod().equals("GET")) {
            return Answer.error(405, "expected GET");
        }
        try {
            return question.ask(exchange);
        } catch (RuntimeException e) {
            return Answer.error(500, "internal error: " + e);
        }
    }

    private static Answer unknown() {
        return Answer.error(404, "expected /windows?session=SESSION, /healthz or /metrics");
    }

    private Answer windows(HttpExchange exchange) {
        Optional<String> session = parameter(exchange.getRequestURI(), "session");
        if (session.isEmpty()) {
            return Answer.error(400, "expected /windows?session=SESSION");
        }
        if (statistics.isEmpty()) {
            return Answer.error(404, "this worker counts no exits");
        }
        Statistics counted = statistics.get();
        Optional<Statistics.Owner> owner = counted.owner(session.get());
        if (owner.isEmpty()) {
            return Answer.error(503, "the workers are sharing out the partitions; ask again");
        }
        if (!owner.get().address().equals(advertised())) {
            return elsewhere(owner.get(), exchange.getRequestURI());
        }
        return counted.windows(session.get(), owner.get().partition())
                .map(found -> Answer.of(200, tree(session.get(), found)))
                .orElseGet(() ->
                        Answer.error(503, "this worker's windows are not back yet; ask again"));
    }

    /// Workers listen to their own machines alone, so only those here can be led to.
    private static Answer elsewhere(Statistics.Owner owner, URI asked) {
        if (!owner.host().equals(hostName())) {
            return Answer.error(
                    503,
                    "the worker on %s, port %d has them, and answers on that machine alone"
                            .formatted(owner.host(), owner.port()));
        }
        return new Answer(
                307,
                JSON,
                JsonTree.text(Map.of("owner", owner.address())) + "\n",
                Optional.of("http://127.0.0.1:%d%s".formatted(owner.port(), asked)));
    }

    private static Optional<String> parameter(URI uri, String name) {
        String query = uri.getRawQuery() == null ? "" : uri.getRawQuery();
        for (String part : query.split("&", -1)) {
            if (part.startsWith(name + "=")) {
                String value = part.substring(name.length() + 1);
                return Optional.of(URLDecoder.decode(value, StandardCharsets.UTF_8))
                        .filter(text -> !text.isEmpty());
            }
        }
        return Optional.empty();
    }

    private static Map<String, Object> tree(String session, List<ExitWindow> windows) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("session", session);
        tree.put("windows", windows.stream().map(Answers::tree).toList());
        return tree;
    }

    private static Map<String, Object> tree(ExitWindow window) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("vcpu", window.vcpu());
        tree.put("begin", window.beginMillis());
        tree.put("millis", window.sizeMillis());
        tree.put("exits", window.exits());
        tree.put("reflected", window.reflected());
        tree.put("mutations", window.mutations());
        tree.put("hostMsrReads", window.hostMsrReads());
        tree.put("hostMsrWrites", window.hostMsrWrites());
        List<Object> byReason = new ArrayList<>();
        window.byReason()
                .forEach(row -> {
                    Map<String, Object> one = new LinkedHashMap<>();
                    one.put("name", row.reasonName());
                    one.put("count", row.count());
                    byReason.add(one);
                });
        tree.put("byReason", byReason);
        List<Object> byMsr = new ArrayList<>();
        window.byMsr()
                .forEach(row -> {
                    Map<String, Object> one = new LinkedHashMap<>();
                    one.put("msr", "0x" + Integer.toHexString(row.msr()));
                    one.put("name", Msrs.name(row.msr()));
                    one.put("access", row.write() ? "write" : "read");
                    one.put("count", row.count());
                    byMsr.add(one);
                });
        tree.put("byMsr", byMsr);
        tree.put("otherMsrs", window.otherMsrs());
        return tree;
    }

    private Answer health() {
        Map<String, String> states = new LinkedHashMap<>();
        statistics.ifPresent(one -> states.put("statistics", one.state()));
        diffs.ifPresent(one -> states.put("diffs", one.state()));
        boolean ok = WORKING.containsAll(states.values());
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("ok", ok);
        states.forEach((name, state) -> tree.put(name, state.toLowerCase(Locale.ROOT)));
        statistics
                .flatMap(Statistics::failure)
                .or(() -> diffs.flatMap(Diffs::failure))
                .ifPresent(why -> tree.put("error", why.getMessage()));
        return Answer.of(ok ? 200 : 503, tree);
    }

    private Answer metrics() {
        StringBuilder text = new StringBuilder();
        statistics.ifPresent(one -> metrics(text, one.counters()));
        diffs.ifPresent(one -> metrics(text, one.counters()));
        return new Answer(
                200, "text/plain; version=0.0.4; charset=utf-8", text.toString(), Optional.empty());
    }

    private static void metrics(StringBuilder text, Counters counters) {
        counter(
                text,
                "trapline_worker_exits_total",
                "Exits counted since this worker started.",
                counters.exits());
        counter(
                text,
                "trapline_worker_unreadable_records_total",
                "Records skipped because they are no exits, or damaged.",
                counters.unreadable());
        counter(
                text,
                "trapline_worker_windows_written_total",
                "Windows written, again and again as they grow.",
                counters.windows());
    }

    private static void metrics(StringBuilder text, FleetCounters counters) {
        metric(
                text,
                "gauge",
                "trapline_worker_diffs_running",
                "Sessions that are being evaluated.",
                counters.running());
        counter(
                text,
                "trapline_worker_diffs_done_total",
                "Sessions evaluated since this worker started.",
                counters.done());
        counter(
                text,
                "trapline_worker_diffs_failed_total",
                "Sessions that could not be evaluated.",
                counters.failed());
        counter(
                text,
                "trapline_worker_unreadable_tasks_total",
                "Records skipped because they are no tasks, or damaged.",
                counters.unreadable());
    }

    private static void counter(StringBuilder text, String name, String help, long value) {
        metric(text, "counter", name, help, value);
    }

    private static void metric(
            StringBuilder text, String type, String name, String help, long value) {
        text.append("# HELP ").append(name).append(' ').append(help).append('\n');
        text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
        text.append(name).append(' ').append(value).append('\n');
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}

package trapline.verify.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import trapline.cli.Main;

/// How old an exit is when a Chromium has painted it, while exits come fast and others watch, too.
///
/// An exit's age counts from its recording, which is before the broker's acknowledgement, to the paint of the first frame
/// that has it. Exits come evenly, so each painting tells the ages of all exits between the frame before and its own.
final class PageBenchmark implements Benchmarks.Benchmark {

    private static final long EXITS_PER_SECOND = Long.getLong("bench.exits", 200_000);
    private static final int SECONDS = 60;
    private static final int WARM_UP_SECONDS = 20;
    private static final int OTHERS = 19;
    private static final String HEAP = "256m";

    private static final String WATCH =
            """
            window.paintings = [];
            let last = window.traplinePainted;
            Object.defineProperty(window, 'traplinePainted', {
                get() { return last; },
                set(painted) {
                    last = painted;
                    if (painted && painted.newest) window.paintings.push([painted.newest, painted.paintedAt]);
                }
            });
            """;

    @Override
    public Map<String, Object> run() throws Exception {
        try (Broker broker = new Broker();
                Child page = serve("kafka:" + broker.address());
                HttpClient client = HttpClient.newHttpClient()) {
            String url = Document.of(page).get("url").textValue();
            String log = "kafka:" + broker.address();
            long exits = EXITS_PER_SECOND * (WARM_UP_SECONDS + SECONDS);
            try (Child load =
                    Child.ours(
                            HEAP,
                            Task.class,
                            "load",
                            log,
                            Long.toString(EXITS_PER_SECOND),
                            Long.toString(exits))) {
                String session = newest(client, url);
                List<Viewer> viewers = new ArrayList<>();
                for (int i = 0; i < OTHERS; i++) {
                    viewers.add(new Viewer(client, url, session));
                }
                ChromeDriver driver = open(url + "live/" + session);
                try {
                    driver.executeScript(WATCH);
                    Thread.sleep(1000L * WARM_UP_SECONDS);
                    driver.executeScript("window.paintings.length = 0");
                    JsonNode loaded = Json.read(load.lines().getLast());
                    List<?> paintings = (List<?>) driver.executeScript("return window.paintings");
                    return result(paintings, loaded, viewers, metrics(client, url, session));
                } finally {
                    client.shutdownNow();
                    driver.quit();
                }
            }
        }
    }

    private static Child serve(String log) throws Exception {
        return Child.ours(
                HEAP,
                Main.class,
                "serve",
                "--log",
                log,
                "--listen",
                "127.0.0.1:0",
                "--format",
                "json");
    }

    /// The only session there is, once there is one.
    private static String newest(HttpClient client, String url) throws Exception {
        while (true) {
            JsonNode sessions = Json.read(ask(client, url + "api/sessions")).get("sessions");
            if (!sessions.isEmpty()) {
                return sessions.get(0).get("session").textValue();
            }
            Thread.sleep(100);
        }
    }

    private static String ask(HttpClient client, String url) throws Exception {
        return client.send(HttpRequest.newBuilder(URI.create(url)).build(), BodyHandlers.ofString())
                .body();
    }

    private static ChromeDriver open(String url) {
        Logger.getLogger("org.openqa.selenium").setLevel(Level.OFF);
        ChromeOptions options = new ChromeOptions();
        options.setBinary("/usr/bin/chromium");
        options.addArguments(
                "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,900");
        ChromeDriver driver =
                new ChromeDriver(
                        new ChromeDriverService.Builder()
                                .usingDriverExecutable(Path.of("/usr/bin/chromedriver").toFile())
                                .usingAnyFreePort()
                                .build(),
                        options);
        driver.get(url);
        return driver;
    }

    private static Map<String, Object> metrics(HttpClient client, String url, String session)
            throws Exception {
        long exits = 0;
        for (String line : ask(client, url + "metrics").lines().toList()) {
            if (line.startsWith("trapline_exits_total{") && line.contains(session)) {
                exits += (long) Double.parseDouble(line.substring(line.lastIndexOf(' ')));
            }
        }
        return Map.of("exitsCounted", exits);
    }

    private static Map<String, Object> result(
            List<?> paintings, JsonNode loaded, List<Viewer> viewers, Map<String, Object> metrics) {
        List<long[]> painted = new ArrayList<>();
        for (Object painting : paintings) {
            List<?> pair = (List<?>) painting;
            painted.add(
                    new long[] {
                        ((Number) pair.getFirst()).longValue(),
                        ((Number) pair.getLast()).longValue()
                    });
        }
        double[] ages = ages(painted);
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("baseline", "none");
        result.put("p99MillisAtMost", 1000);
        result.put("p50Millis", percentile(ages, 50));
        result.put("p99Millis", percentile(ages, 99));
        result.put("maxMillis", percentile(ages, 100));
        result.put("paintings", painted.size());
        result.put("viewers", viewers.size() + 1);
        result.put("framesOfOtherViewers", viewers.stream().mapToLong(v -> v.frames.get()).sum());
        result.put("exitsPerSecond", Math.round(loaded.get("exitsPerSecond").asDouble()));
        result.put("exits", loaded.get("exits").asLong());
        result.putAll(metrics);
        result.put("serverHeap", HEAP);
        return result;
    }

    /// The age of an exit of every millisecond when it was painted.
    private static double[] ages(List<long[]> painted) {
        List<Double> ages = new ArrayList<>();
        for (int i = 1; i < painted.size(); i++) {
            for (long at = painted.get(i - 1)[0] + 1; at <= painted.get(i)[0]; at++) {
                ages.add((double) (painted.get(i)[1] - at));
            }
        }
        double[] sorted = ages.stream().mapToDouble(Double::doubleValue).toArray();
        Arrays.sort(sorted);
        return sorted;
    }

    private static double percentile(double[] sorted, int percent) {
        return sorted[(int) Math.ceil(sorted.length * percent / 100.0) - 1];
    }

    /// Somebody who watches without a screen.
    private static final class Viewer implements WebSocket.Listener {

        private final AtomicLong frames = new AtomicLong();

        Viewer(HttpClient client, String url, String session) {
            client.newWebSocketBuilder()
                    .buildAsync(
                            URI.create(url.replace("http:", "ws:") + "api/live?session=" + session),
                            this)
                    .join();
        }

        @Override
        public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
            if (last) {
                frames.incrementAndGet();
            }
            socket.request(1);
            return null;
        }
    }
}

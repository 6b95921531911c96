package trapline.dashboard.web;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;

/// A viewer as the page is one: keeps the newest of each session and window.
final class Watched implements WebSocket.Listener, AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long PATIENCE_MILLIS = 60_000;

    final List<String> types = new ArrayList<>();
    final Map<String, JsonNode> sessions = new TreeMap<>();
    final Map<Long, JsonNode> windows = new TreeMap<>();
    JsonNode last;
    Throwable failure;
    private boolean paused;
    private boolean owed;
    private final StringBuilder text = new StringBuilder();
    private final HttpClient client = HttpClient.newHttpClient();
    private final WebSocket socket;

    Watched(int port, String query) {
        socket =
                client.newWebSocketBuilder()
                        .buildAsync(
                                URI.create("ws://127.0.0.1:" + port + "/api/live" + query), this)
                        .join();
    }

    @Override
    public synchronized CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
        text.append(data);
        if (last) {
            try {
                take(JSON.readTree(text.toString()));
            } catch (JsonProcessingException | RuntimeException e) {
                failure = e;
            }
            text.setLength(0);
            notifyAll();
        }
        if (paused) {
            owed = true;
        } else {
            from.request(1);
        }
        return null;
    }

    private void take(JsonNode frame) {
        last = frame;
        types.add(frame.get("type").asText());
        frame.get("sessions")
                .forEach(session -> sessions.put(session.get("session").asText(), session));
        for (JsonNode window : frame.get("windows")) {
            long begin = window.get("begin").asLong();
            long end = begin + window.get("millis").asLong();
            windows.keySet().removeIf(other -> other >= begin && other < end);
            windows.put(begin, window);
        }
    }

    /// Takes no more than is on its way.
    synchronized void pause() {
        paused = true;
    }

    synchronized void resume() {
        paused = false;
        if (owed) {
            owed = false;
            socket.request(1);
        }
    }

    synchronized void await(Predicate<Watched> condition) throws InterruptedException {
        long deadline = System.currentTimeMillis() + PATIENCE_MILLIS;
        while (failure == null && !condition.test(this)) {
            long left = deadline - System.currentTimeMillis();
            if (left <= 0) {
                throw new AssertionError("not seen: " + last);
            }
            wait(left);
        }
        if (failure != null) {
            throw new AssertionError(failure);
        }
    }

    long exits(String session) {
        JsonNode found = sessions.get(session);
        return found == null ? 0 : found.get("totals").get("exits").asLong();
    }

    String status(String session) {
        JsonNode found = sessions.get(session);
        return found == null ? "" : found.get("status").asText();
    }

    @Override
    public void close() {
        socket.abort();
        client.shutdownNow();
    }
}

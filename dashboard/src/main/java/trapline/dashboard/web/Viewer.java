package trapline.dashboard.web;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.websocket.api.Callback;
import org.eclipse.jetty.websocket.api.Session;
import trapline.dashboard.live.Frame;
import trapline.dashboard.live.Live;
import trapline.dashboard.live.Progress;

/// One browser that watches: a thread of its own sends the next frame once the last one is on its way.
///
/// A slow one gets fewer and larger frames; one that takes nothing for half a minute is let go.
final class Viewer implements Runnable {

    private static final int PIECE = 1 << 16;
    private static final long PATIENCE_SECONDS = 30;

    /// So long without news, a frame without any says that all is well.
    private static final Duration QUIET = Duration.ofSeconds(2);

    private final Live live;
    private final Optional<String> session;
    private final Session socket;
    private final long seam = System.currentTimeMillis();
    private volatile Thread thread;

    Viewer(Live live, Optional<String> session, Session socket) {
        this.live = live;
        this.session = session;
        this.socket = socket;
    }

    void start() {
        thread = Thread.ofVirtual().name("trapline-viewer").start(this);
    }

    void stop() {
        thread.interrupt();
    }

    @Override
    public void run() {
        try {
            Progress has = Progress.NONE;
            while (socket.isOpen()) {
                long begun = System.nanoTime();
                Frame frame = live.frame(session, has, seam);
                send(frame.text());
                has = frame.after();
                Duration passed = Duration.ofNanos(System.nanoTime() - begun);
                Thread.sleep(Math.clamp(Live.BEAT_MILLIS - passed.toMillis(), 0, Live.BEAT_MILLIS));
                live.await(has, QUIET);
            }
        } catch (InterruptedException | ExecutionException e) {
            // It has gone by itself.
        } catch (TimeoutException e) {
            socket.disconnect();
        } catch (RuntimeException e) {
            socket.close(1011, "internal error of the server", Callback.NOOP);
        }
    }

    /// In pieces, each of which has to get on its way in time.
    private void send(String text)
            throws InterruptedException, ExecutionException, TimeoutException {
        for (int from = 0; from < text.length(); from += PIECE) {
            int to = Math.min(text.length(), from + PIECE);
            CompletableFuture<Void> sent = new CompletableFuture<>();
            socket.sendPartialText(
                    text.substring(from, to),
                    to == text.length(),
                    Callback.from(() -> sent.complete(null), sent::completeExceptionally));
            sent.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        }
    }
}

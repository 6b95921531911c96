package trapline.dashboard.live;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/// The frames of this moment: viewers who have the same get the same, which is made once.
final class SharedFrames {

    private static final int MOST = 64;

    private final Map<Key, CompletableFuture<Shared>> frames = new HashMap<>();

    private record Key(Optional<String> session, Progress progress) {}

    /// A frame but for when its viewer came.
    record Shared(Map<String, Object> head, String rest, Progress after) {

        Frame frame(long seam) {
            Map<String, Object> all = new LinkedHashMap<>(head);
            all.put("seam", seam);
            return new Frame(Frames.text(all, rest), after);
        }
    }

    Shared of(Optional<String> session, Progress progress, Supplier<Collected> making) {
        CompletableFuture<Shared> mine = new CompletableFuture<>();
        CompletableFuture<Shared> others = others(new Key(session, progress), mine);
        if (others != null) {
            return others.join();
        }
        try {
            mine.complete(made(making.get()));
        } catch (RuntimeException | Error e) {
            mine.completeExceptionally(e);
        }
        return mine.join();
    }

    /// The one that is made already, or null where there is none.
    private CompletableFuture<Shared> others(Key key, CompletableFuture<Shared> mine) {
        synchronized (frames) {
            return frames.size() < MOST ? frames.putIfAbsent(key, mine) : frames.get(key);
        }
    }

    private static Shared made(Collected from) {
        String rest =
                Frames.rest(
                        from.sessions(),
                        Frames.windows(from.session(), from.subjects(), from.windows()));
        return new Shared(from.head(), rest, from.after());
    }

    /// What was this moment's is not any more.
    void clear() {
        synchronized (frames) {
            frames.clear();
        }
    }
}

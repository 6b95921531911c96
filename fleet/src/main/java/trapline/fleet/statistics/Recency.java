package trapline.fleet.statistics;

import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// When each stored window was last added to, so that those go first that have waited longest.
///
/// Of a partition's windows so many stay that none which still grows is dropped, whatever the
/// clocks of the machines that record say.
final class Recency {

    private static final long KEEP_SECONDS_MILLIS = 5 * 60_000;
    private static final long KEEP_MINUTES_MILLIS = 2 * 60 * 60_000;
    private static final int MOST_SECONDS = 40_000;
    private static final int MOST_MINUTES = 20_000;

    private final Map<WindowKey, Long> seconds = new LinkedHashMap<>();
    private final Map<WindowKey, Long> minutes = new LinkedHashMap<>();

    /// Those that were there before count as touched now, the older ones earlier.
    void remember(List<WindowKey> keys, long nowMillis) {
        keys.stream()
                .sorted(Comparator.comparingLong(WindowKey::begin))
                .forEach(key -> touch(key, nowMillis));
    }

    void touch(WindowKey key, long nowMillis) {
        Map<WindowKey, Long> touched = key.size() == WindowKey.SECOND ? seconds : minutes;
        touched.remove(key);
        touched.put(key, nowMillis);
    }

    void forget(long nowMillis, Consumer<WindowKey> drop) {
        forget(seconds, nowMillis - KEEP_SECONDS_MILLIS, MOST_SECONDS, drop);
        forget(minutes, nowMillis - KEEP_MINUTES_MILLIS, MOST_MINUTES, drop);
    }

    private static void forget(
            Map<WindowKey, Long> touched, long before, int most, Consumer<WindowKey> drop) {
        Iterator<Map.Entry<WindowKey, Long>> eldest = touched.entrySet().iterator();
        while (eldest.hasNext()) {
            Map.Entry<WindowKey, Long> entry = eldest.next();
            if (entry.getValue() >= before && touched.size() <= most) {
                return;
            }
            drop.accept(entry.getKey());
            eldest.remove();
        }
    }
}

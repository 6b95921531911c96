package trapline.dashboard.live;

import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/// One session's windows: of 1 s for the newest ten minutes, of 10 s to two hours, of 60 s to a day.
///
/// Where memory is short, all ages are halved, once or more.
final class Windows {

    static final int FINE = 1_000;
    static final int MIDDLE = 10_000;
    static final int COARSE = 60_000;
    static final int MOST_HALVINGS = 5;

    private static final long FINE_AGE = 600_000;
    private static final long MIDDLE_AGE = 7_200_000;
    private static final long DAY = 86_400_000;

    /// More than the ages above can bring: against clocks that jump.
    private static final int MOST = 4_000;

    private final NavigableMap<Long, Window> sealed = new TreeMap<>();
    private final OpenWindow[] open = {new OpenWindow(), new OpenWindow()};
    private final OpenWindow scratch = new OpenWindow();
    private long fineFrom;
    private long middleFrom;
    private long bytes;

    Windows(long now, int halvings) {
        fineFrom = floor(now - (FINE_AGE >> halvings), MIDDLE);
        middleFrom = floor(now - (MIDDLE_AGE >> halvings), COARSE);
    }

    private static long floor(long time, int grid) {
        return time - Math.floorMod(time, grid);
    }

    long bytes() {
        return bytes;
    }

    /// The one that counts this moment.
    ///
    /// Two are open, so that a clock that wavers about a window's edge costs nothing.
    OpenWindow at(long millis) {
        if (open[0].covers(millis)) {
            return open[0];
        }
        OpenWindow other = open[1];
        open[1] = open[0];
        open[0] = other;
        if (!other.covers(millis)) {
            seal(other);
            reopen(other, millis);
        }
        return other;
    }

    private void reopen(OpenWindow window, long millis) {
        var before = sealed.floorEntry(millis);
        if (before != null && millis < before.getValue().end()) {
            Window there = before.getValue();
            remove(there);
            window.begin(there.begin(), there.millis());
            window.add(there);
        } else {
            int length = millis < middleFrom ? COARSE : millis < fineFrom ? MIDDLE : FINE;
            window.begin(floor(millis, length), length);
        }
    }

    private void seal(OpenWindow window) {
        if (window.used()) {
            put(window.sealed());
            window.clear();
        }
    }

    private void put(Window window) {
        sealed.put(window.begin(), window);
        bytes += window.bytes();
        if (sealed.size() > MOST) {
            remove(sealed.firstEntry().getValue());
        }
    }

    private void remove(Window window) {
        sealed.remove(window.begin());
        bytes -= window.bytes();
    }

    /// Makes coarse what has become old, and forgets what is older than a day.
    void age(long now, int halvings, long version) {
        long fine = floor(now - (FINE_AGE >> halvings), MIDDLE);
        if (fine > fineFrom) {
            coarsen(fineFrom, fine, MIDDLE, version);
            fineFrom = fine;
        }
        long middle = floor(now - (MIDDLE_AGE >> halvings), COARSE);
        if (middle > middleFrom) {
            coarsen(middleFrom, middle, COARSE, version);
            middleFrom = middle;
        }
        while (!sealed.isEmpty() && sealed.firstEntry().getValue().end() <= now - DAY) {
            remove(sealed.firstEntry().getValue());
        }
    }

    private void coarsen(long from, long to, int length, long version) {
        for (OpenWindow window : open) {
            if (window.used() && window.begin() < to) {
                seal(window);
            }
        }
        List<Window> old = new ArrayList<>(sealed.subMap(from, to).values());
        for (int i = 0; i < old.size(); ) {
            long cell = floor(old.get(i).begin(), length);
            scratch.begin(cell, length);
            for (; i < old.size() && old.get(i).begin() < cell + length; i++) {
                remove(old.get(i));
                scratch.add(old.get(i));
            }
            scratch.changed(version);
            seal(scratch);
        }
    }

    /// Those that changed after a version and begin before a moment, newest first.
    List<Window> changed(long since, long before) {
        List<Window> changed = new ArrayList<>();
        for (OpenWindow window : open) {
            if (window.used() && window.version() > since && window.begin() < before) {
                changed.add(window.sealed());
            }
        }
        for (Window window : sealed.headMap(before, false).descendingMap().values()) {
            if (window.version() > since) {
                changed.add(window);
            }
        }
        changed.sort((a, b) -> Long.compare(b.begin(), a.begin()));
        return changed;
    }

    /// Those that have a moment in common with a range.
    List<Window> within(long from, long to) {
        List<Window> within = new ArrayList<>(changed(Long.MIN_VALUE, to));
        within.removeIf(window -> window.end() <= from);
        return within;
    }
}

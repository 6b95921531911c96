package trapline.dashboard.live;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.TreeSet;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/// Windows of time by a given clock, which begins at a whole minute.
class WindowsTest {

    private static final long BEGIN = 60_000L * 1_000_000;
    private static final long SECOND = 1_000;
    private static final long MINUTE = 60_000;

    /// What SplitMix64 with seed 0 gives first, as its authors' program prints it: the mix of 0.
    private static final long MIX_OF_0 = 0xe220_a839_7b1d_cdafL;

    private long version;
    private final Windows windows = new Windows(BEGIN, 0);

    @Test
    void checkIsSplitMix64() {
        assertEquals(MIX_OF_0, OpenWindow.mix(0));
    }

    /// 60 exits, one a second, become 6 windows of 10 after some ten minutes, and one of 60 after two hours.
    @Test
    void oldWindowsBecomeCoarse() {
        seconds(0, 60);
        assertEquals(60, all().size());
        long check = check();
        windows.age(BEGIN + 11 * MINUTE, 0, ++version);
        assertEquals(6, all().size());
        assertTrue(all().stream().allMatch(w -> w.millis() == 10_000 && w.exits() == 10));
        assertEquals(check, check());
        windows.age(BEGIN + 121 * MINUTE, 0, ++version);
        assertEquals(1, all().size());
        assertEquals(60, all().getFirst().exits());
        assertEquals(BEGIN, all().getFirst().begin());
        assertEquals(60_000, all().getFirst().millis());
        assertEquals(check, check());
    }

    /// It is counted in the window of 10 s that is there, which is told again.
    @Test
    void lateExitGoesIntoTheCoarseWindow() {
        seconds(0, 10);
        windows.age(BEGIN + 11 * MINUTE, 0, ++version);
        long told = version;
        windows.at(BEGIN + 5_500).count(0, ++version);
        List<Window> changed = windows.changed(told, Long.MAX_VALUE);
        assertEquals(1, changed.size());
        assertEquals(BEGIN, changed.getFirst().begin());
        assertEquals(10_000, changed.getFirst().millis());
        assertEquals(11, changed.getFirst().exits());
        assertEquals(1, all().size());
    }

    /// Halved once, seconds last five minutes; twice, two and a half.
    @Test
    void halvedAgesAreShorter() {
        seconds(0, 10);
        windows.age(BEGIN + 4 * MINUTE, 0, ++version);
        assertEquals(10, all().size());
        windows.age(BEGIN + 4 * MINUTE, 1, ++version);
        assertEquals(10, all().size());
        windows.age(BEGIN + 4 * MINUTE, 2, ++version);
        assertEquals(1, all().size());
    }

    @Test
    void aDayLaterNothingIsLeft() {
        seconds(0, 10);
        windows.age(BEGIN + 86_400_000 + MINUTE, 0, ++version);
        assertEquals(List.of(), all());
        assertEquals(0, windows.bytes());
    }

    /// 2,500 windows come in three frames, the newest first, each window once; then there is nothing left.
    @Test
    void manyWindowsComeInSeveralFrames() {
        seconds(0, 2_500);
        Progress has = Progress.NONE;
        TreeSet<Long> begins = new TreeSet<>();
        for (int size : new int[] {1_000, 1_000, 500, 0}) {
            Progress.Step step = has.next(windows, version, 1_000);
            assertEquals(size, step.windows().size());
            step.windows().forEach(window -> assertTrue(begins.add(window.begin())));
            has = step.after();
            assertEquals(begins.size() < 2_500, has.hasRest());
        }
        assertEquals(BEGIN, begins.first());
        assertEquals(BEGIN + 2_499 * SECOND, begins.last());
    }

    /// An exit between two frames brings its window with the next one, and leaves no gap in the rest.
    @Test
    void whatChangesBetweenFramesComesBesidesTheRest() {
        seconds(0, 1_500);
        Progress.Step first = Progress.NONE.next(windows, version, 1_000);
        seconds(1_500, 1_501);
        Progress.Step second = first.after().next(windows, version, 1_000);
        assertEquals(501, second.windows().size());
        assertEquals(BEGIN + 1_500 * SECOND, second.windows().getFirst().begin());
        assertEquals(BEGIN, second.windows().getLast().begin());
        assertEquals(List.of(), second.after().next(windows, version, 1_000).windows());
    }

    /// One exit in each, with the second's number as its order.
    private void seconds(int from, int to) {
        LongStream.range(from, to)
                .forEach(second -> windows.at(BEGIN + second * SECOND).count(second, ++version));
    }

    private List<Window> all() {
        return windows.within(Long.MIN_VALUE, Long.MAX_VALUE);
    }

    private long check() {
        return all().stream().mapToLong(Window::check).sum();
    }
}

package trapline.dashboard.live;

import org.HdrHistogram.Histogram;

/// Exits of some seconds, while they are counted.
final class OpenWindow {

    private static final long NEVER = Long.MIN_VALUE;

    final Counts reasons = new Counts();
    final Counts msrs = new Counts();
    final Counts vcpus = new Counts();
    final Histogram times = Times.empty();
    private long begin = NEVER;
    private int millis;
    private long version;
    private long exits;
    private long check;

    boolean used() {
        return begin != NEVER;
    }

    boolean covers(long time) {
        return begin <= time && time < begin + millis;
    }

    long begin() {
        return begin;
    }

    long end() {
        return begin + millis;
    }

    long version() {
        return version;
    }

    void count(long order, long now) {
        exits++;
        check += mix(order);
        version = now;
    }

    /// The finalizer of SplitMix64, of the number's successor in its sequence.
    static long mix(long order) {
        long z = order + 0x9e37_79b9_7f4a_7c15L;
        z = (z ^ (z >>> 30)) * 0xbf58_476d_1ce4_e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d0_49bb_1331_11ebL;
        return z ^ (z >>> 31);
    }

    void add(Window window) {
        exits += window.exits();
        check += window.check();
        version = Math.max(version, window.version());
        reasons.add(window.reasons());
        msrs.add(window.msrs());
        vcpus.add(window.vcpus());
        if (window.times() != null) {
            window.times().addTo(times);
        }
    }

    void changed(long now) {
        version = now;
    }

    void begin(long at, int length) {
        clear();
        begin = at;
        millis = length;
    }

    void clear() {
        begin = NEVER;
        version = 0;
        exits = 0;
        check = 0;
        reasons.clear();
        msrs.clear();
        vcpus.clear();
        times.reset();
    }

    Window sealed() {
        return new Window(
                begin,
                millis,
                version,
                exits,
                check,
                reasons.pairs(),
                msrs.pairs(),
                vcpus.pairs(),
                Times.of(times));
    }
}

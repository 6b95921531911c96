package trapline.dashboard.live;

/// Exits of some seconds, at rest.
///
/// @param version of the statistics when it last changed
/// @param check the sum of [OpenWindow#mix] of their order numbers
/// @param reasons pairs of [Counts]; likewise the next two
/// @param times null where nothing was timed
record Window(
        long begin,
        int millis,
        long version,
        long exits,
        long check,
        long[] reasons,
        long[] msrs,
        long[] vcpus,
        Times times) {

    private static final int EMPTY_BYTES = 250;

    long end() {
        return begin + millis;
    }

    /// About how much memory it takes.
    int bytes() {
        int counts = 8 * (reasons.length + msrs.length + vcpus.length);
        return EMPTY_BYTES + counts + (times == null ? 0 : times.histogram().length);
    }
}

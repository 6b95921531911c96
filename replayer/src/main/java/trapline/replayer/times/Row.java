package trapline.replayer.times;

/// A line of a table of exits or accesses.
///
/// @param count how often, whether timed or not
/// @param share of all counts of the dimension
/// @param timeShare of all time of the dimension
/// @param all how long those took whose end is known
/// @param inside how long those took of them that needed neither userspace nor a wait
/// @param userspaceTime what of the time was spent in userspace
/// @param haltedTime what of the time was spent waiting after HLT
/// @param byMagnitude durations by their number of binary digits; empty where nobody asked
public record Row(
        Subject subject,
        long count,
        double share,
        double timeShare,
        Spread all,
        Spread inside,
        long userspaceExits,
        long userspaceTime,
        long haltedTime,
        long[] byMagnitude) {}

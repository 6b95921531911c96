package trapline.replayer.times;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import trapline.replayer.Where;

/// Which exits to count, and how.
///
/// @param where over the exit; what happens outside of one is asked itself
/// @param vcpu the only one to count
/// @param interval the length of a time window in nanoseconds; 0 for none
/// @param byWindow what a window is split by
/// @param histogram whether to have durations by magnitude, too
public record Look(
        Set<Dimension> by,
        Optional<Where> where,
        OptionalInt vcpu,
        long interval,
        Set<Dimension> byWindow,
        boolean histogram) {

    /// Everything, by these.
    public static Look at(Set<Dimension> by) {
        return new Look(by, Optional.empty(), OptionalInt.empty(), 0, Set.of(), true);
    }

    boolean wants(int of) {
        return vcpu.isEmpty() || vcpu.getAsInt() == of;
    }
}

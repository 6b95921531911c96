package trapline.replayer.explore;

import java.util.Optional;
import java.util.OptionalInt;

/// Looks for a broken rule among those that are known, and waits a little for those that are not.
final class ViolationSeek {

    private static final long PATIENCE_NANOS = 500_000_000;
    private static final long PAUSE_MILLIS = 20;

    private final Optional<Judgement> judgement;
    private final OptionalInt vcpu;
    private final long last;

    /// @param vcpu empty for any
    /// @param last the session's last event by now
    ViolationSeek(Optional<Judgement> judgement, OptionalInt vcpu, long last) {
        this.judgement = judgement;
        this.vcpu = vcpu;
        this.last = last;
    }

    /// @param place null if none was found
    /// @param more whether it is worth asking again from `searchedTo` on
    record Found(Judgement.Broken place, long searchedTo, boolean more) {}

    Found find(long order, boolean next) {
        if (judgement.isEmpty()) {
            return new Found(null, order, false);
        }
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        Found found = next ? next(order) : previous(order);
        while (found.more() && System.nanoTime() < deadline && pause()) {
            found = next ? next(order) : previous(order);
        }
        return found;
    }

    private static boolean pause() {
        try {
            Thread.sleep(PAUSE_MILLIS);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /// One behind what is known may have another before it.
    private Found next(long order) {
        long known = judgement.get().known();
        Judgement.Broken found = judgement.get().next(order, vcpu.orElse(-1));
        boolean sure = found != null && found.order() <= known;
        return sure
                ? new Found(found, found.order(), false)
                : new Found(null, Math.clamp(known, order, Math.max(order, last)), known < last);
    }

    private Found previous(long order) {
        long known = judgement.get().known();
        return known >= Math.min(order - 1, last)
                ? new Found(judgement.get().previous(order, vcpu.orElse(-1)), 0, false)
                : new Found(null, order, true);
    }
}

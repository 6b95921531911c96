package trapline.dashboard.live;

import java.util.ArrayList;
import java.util.List;

/// How much of the statistics a viewer has.
///
/// @param version everything up to it, but for windows that begin before `restBefore` and changed after
///     `restSince`, which were too many for one frame
public record Progress(long version, long restBefore, long restSince) {

    private static final long NO_REST = Long.MIN_VALUE;

    /// Of one that has nothing yet.
    public static final Progress NONE = new Progress(-1, NO_REST, -1);

    public boolean hasRest() {
        return restBefore != NO_REST;
    }

    /// What to send next, the newest first, and how much the viewer has then.
    ///
    /// @param most windows at once
    Step next(Windows windows, long now, int most) {
        List<Window> wanted = new ArrayList<>();
        long since = hasRest() ? Math.min(version, restSince) : version;
        for (Window window : windows.changed(since, Long.MAX_VALUE)) {
            boolean news = window.version() > version;
            if (news || (window.begin() < restBefore && window.version() > restSince)) {
                wanted.add(window);
            }
        }
        if (wanted.size() <= most) {
            return new Step(wanted, new Progress(now, NO_REST, now));
        }
        List<Window> first = wanted.subList(0, most);
        return new Step(first, new Progress(now, first.getLast().begin(), since));
    }

    record Step(List<Window> windows, Progress after) {}
}

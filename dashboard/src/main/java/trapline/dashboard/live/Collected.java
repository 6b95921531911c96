package trapline.dashboard.live;

import java.util.List;
import java.util.Map;

/// All that a frame is made of, whoever gets it.
///
/// @param subjects what the windows' numbers mean; null where there are none
record Collected(
        Map<String, Object> head,
        List<String> sessions,
        String session,
        Subjects subjects,
        List<Window> windows,
        Progress after) {

    static Collected of(Map<String, Object> head, List<String> sessions, Progress after) {
        return new Collected(head, sessions, "", null, List.of(), after);
    }
}

package trapline.dashboard.live;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import trapline.replayer.JsonTree;
import trapline.replayer.Names;

/// Frames as text.
final class Frames {

    private Frames() {}

    /// @param rest what [#rest] made
    static String text(Map<String, Object> head, String rest) {
        String begin = JsonTree.text(head);
        return begin.substring(0, begin.length() - 1) + "," + rest + "}";
    }

    /// @param sessions as they are told, whole; likewise the windows
    static String rest(List<String> sessions, List<String> windows) {
        return "\"sessions\":[%s],\"windows\":[%s]"
                .formatted(String.join(",", sessions), String.join(",", windows));
    }

    /// Oldest first.
    static List<String> windows(String session, Subjects subjects, List<Window> newestFirst) {
        List<String> texts = new ArrayList<>(newestFirst.size());
        for (Window window : newestFirst.reversed()) {
            texts.add(JsonTree.text(tree(session, subjects, window)));
        }
        return texts;
    }

    private static Map<String, Object> tree(String session, Subjects subjects, Window window) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("session", session);
        tree.put("begin", window.begin());
        tree.put("millis", window.millis());
        tree.put("exits", window.exits());
        tree.put("byReason", subjects.reasons(window.reasons()));
        tree.put("byMsr", subjects.msrs(window.msrs()));
        tree.put("byVcpu", subjects.vcpus(window.vcpus()));
        tree.put("time", window.times() == null ? null : window.times().tree());
        tree.put("check", Names.hex(window.check()));
        return tree;
    }
}

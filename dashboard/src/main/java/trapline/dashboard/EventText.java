package trapline.dashboard;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import trapline.engine.event.Event;
import trapline.engine.state.Vendor;
import trapline.replayer.Describe;

/// Events in words, with what differs from the other side's event marked.
final class EventText {

    private final Html html;
    private final Describe describe;

    EventText(Html html, Vendor vendor) {
        this.html = html;
        describe = new Describe(vendor);
    }

    /// @param other what to mark differences from; null to mark none
    void write(Event event, Event other) {
        boolean alike = other != null && other.name().equals(event.name());
        html.element("b", event.name());
        if (!alike) {
            html.text(" " + describe.detail(event));
            return;
        }
        Set<String> theirs = new HashSet<>(Arrays.asList(words(other)));
        for (String word : words(event)) {
            html.text(" ");
            if (theirs.contains(word)) {
                html.text(word);
            } else {
                html.element("mark", word);
            }
        }
    }

    private String[] words(Event event) {
        return describe.detail(event).split(" ");
    }
}

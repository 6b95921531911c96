package trapline.dashboard;

import java.util.List;
import trapline.engine.event.GuestEvent;
import trapline.replayer.DiffResult;
import trapline.replayer.DiffResult.Difference;

/// What the guest itself could tell the two policies apart by.
final class GuestVisibleSection {

    private static final int MOST = 50;

    private final Html html;
    private final DiffResult diff;
    private final EventText text;

    private GuestVisibleSection(Html html, DiffResult diff) {
        this.html = html;
        this.diff = diff;
        text = new EventText(html, diff.session().vendor());
    }

    static void write(Html html, DiffResult diff) {
        new GuestVisibleSection(html, diff).write();
    }

    private void write() {
        html.open("section", "id", "guest-visible").element("h2", "What the guest can see");
        String ops = Numbers.plural(diff.base().tally().guestOps(), "guest op");
        if (diff.guestVisible().identical()) {
            html.element(
                    "p", "Nothing: %s, each with the same result on both sides.".formatted(ops));
        } else {
            differences(ops);
        }
        html.close();
    }

    private void differences(String ops) {
        long count = diff.guestVisible().count();
        List<Difference> shown = diff.guestVisible().differences().stream().limit(MOST).toList();
        String which = count > shown.size() ? "; these are the first " + shown.size() : "";
        html.element(
                "p", "%s of %s have another result%s:".formatted(Numbers.count(count), ops, which));
        html.open("table", "class", "events");
        Cells.heads(html, "n", "vCPU", "n", "op", "", "base", "", "candidate");
        html.open("tbody");
        for (Difference difference : shown) {
            html.open("tr", "class", "differs");
            html.element("td", Integer.toString(difference.vcpu()), "class", "n");
            html.element("td", Numbers.count(difference.op()), "class", "n");
            result(difference.base(), difference.candidate());
            result(difference.candidate(), difference.base());
            html.close();
        }
        html.close().close();
    }

    private void result(GuestEvent event, GuestEvent other) {
        html.open("td", "class", "event");
        if (event == null) {
            html.text("never ended");
        } else {
            text.write(event, other);
        }
        html.close();
    }
}

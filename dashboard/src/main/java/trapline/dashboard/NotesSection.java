package trapline.dashboard;

import java.util.ArrayList;
import java.util.List;
import trapline.engine.sim.EntryFailures.Failure;
import trapline.replayer.DiffResult;
import trapline.replayer.DiffResult.Side;
import trapline.replayer.Tally;
import trapline.schemas.CatalogueEntry.Status;

/// What a reader has to know to read the numbers rightly.
final class NotesSection {

    private NotesSection() {}

    static void write(Html html, DiffResult diff) {
        List<String> notes = notes(diff);
        if (notes.isEmpty()) {
            return;
        }
        html.open("section", "id", "notes", "class", "notes").element("h2", "Notes").open("ul");
        notes.forEach(note -> html.element("li", note));
        html.close().close();
    }

    private static List<String> notes(DiffResult diff) {
        List<String> notes = new ArrayList<>(diff.notes());
        if (diff.session().entry().status() != Status.CLOSED) {
            notes.add("the session has no end: what was compared is what was recorded until now");
        }
        Tally tally = diff.base().tally();
        if (tally.recordedValues() > 0) {
            notes.add(
                    "%s answered from the imported log, because the model does not cover the MSR"
                            .formatted(Numbers.plural(tally.recordedValues(), "guest read")));
        }
        broken(notes, diff.base());
        broken(notes, diff.candidate());
        return notes;
    }

    private static void broken(List<String> notes, Side side) {
        for (Failure failure : side.tally().entryFailures().all()) {
            notes.add(side.policy() + ": " + failure.describe());
        }
    }
}

package trapline.dashboard.web;

import io.javalin.config.RoutesConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import trapline.journal.Journal;
import trapline.replayer.SessionRows;
import trapline.schemas.CatalogueEntry;

/// What is in the log, newest first.
final class SessionList implements Routes {

    private final Journal journal;
    private final boolean live;

    SessionList(Journal journal, boolean live) {
        this.journal = journal;
        this.live = live;
    }

    @Override
    public void addTo(RoutesConfig routes) {
        routes.get("/api/sessions", context -> Answers.send(context, tree()));
    }

    private Map<String, Object> tree() {
        List<Object> rows = new ArrayList<>();
        for (CatalogueEntry entry : journal.sessions().reversed()) {
            rows.add(SessionRows.tree(entry));
        }
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("log", journal.location());
        tree.put("live", live);
        tree.put("sessions", rows);
        tree.put("damaged", journal.damaged().stream().map(Throwable::getMessage).toList());
        return tree;
    }
}

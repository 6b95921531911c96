package trapline.dashboard.web;

import io.javalin.config.RoutesConfig;
import java.util.Map;
import trapline.journal.Journal;
import trapline.journal.JournalException;

/// Whether the server can do what it is for.
final class Health implements Routes {

    private final Journal journal;

    Health(Journal journal) {
        this.journal = journal;
    }

    @Override
    public void addTo(RoutesConfig routes) {
        routes.get(
                "/healthz",
                context -> {
                    try {
                        journal.sessions();
                        Answers.send(context, Map.of("ok", true));
                    } catch (JournalException e) {
                        context.status(503);
                        Answers.send(
                                context, Map.of("ok", false, "error", "the log does not answer"));
                    }
                });
    }
}

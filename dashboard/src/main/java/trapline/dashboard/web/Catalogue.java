package trapline.dashboard.web;

import trapline.journal.Journal;
import trapline.schemas.CatalogueEntry;

/// Finds sessions that requests name.
///
/// What a request says is held against the names of the log, and only one of these goes further.
final class Catalogue {

    private Catalogue() {}

    static CatalogueEntry find(Journal journal, String session) {
        return journal.sessions().stream()
                .filter(entry -> entry.header().session().equals(session))
                .findFirst()
                .orElseThrow(() -> Problem.notFound("no session is called '%s'", session));
    }
}

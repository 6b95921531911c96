package trapline.verify;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.schemas.CatalogueEntry;

class FileVerifyTest extends VerifyContract {

    @TempDir static Path folder;
    private static Journal journal;

    @BeforeAll
    static void open() {
        journal = Journals.open("file:" + folder, Optional.empty());
    }

    @AfterAll
    static void close() {
        journal.close();
    }

    @Override
    Journal journal() {
        return journal;
    }

    @Override
    String anyPlace(String session) {
        return ".*/%s\\.avro@[0-9]+( \\(event [0-9]+\\))?".formatted(session);
    }

    @Override
    boolean isPlaceOf(CatalogueEntry session, long record, String place) {
        return place.endsWith("(event %d)".formatted(record));
    }
}

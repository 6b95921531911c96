package trapline.journal;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

class FileContractTest extends JournalContract {

    @TempDir static Path folder;
    private static Journal journal;

    @BeforeAll
    static void open() {
        journal = Journals.open("file:" + folder.resolve("log"), Optional.empty());
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
    boolean keepsExits() {
        return false;
    }
}

package trapline.journal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import trapline.journal.broker.FolderBroker;

/// A broker that is not ours to run, with topics of another name and zstd in place of lz4.
class RemoteContractTest extends JournalContract {

    @TempDir static Path folder;
    private static FolderBroker broker;
    private static Journal journal;

    @BeforeAll
    static void open() throws IOException {
        broker = Journals.broker(folder.resolve("log"));
        Path config =
                Files.writeString(
                        folder.resolve("kafka.properties"),
                        """
                        compression.type=zstd
                        trapline.topic.prefix=lab.recorder
                        trapline.topic.partitions=3
                        trapline.topic.replication.factor=1
                        """);
        journal = Journals.open("kafka:" + broker.address(), Optional.of(config));
    }

    @AfterAll
    static void close() {
        journal.close();
        broker.close();
    }

    @Override
    Journal journal() {
        return journal;
    }

    @Override
    boolean seesRecordersGo() {
        return false;
    }
}

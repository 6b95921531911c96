package trapline.replayer.export;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.replayer.SessionCopy;

/// An Avro container file: the session itself, with its texts, checkpoints and end, as a `file:` log holds it.
///
/// A session that is torn, or still being recorded, is a torn one there.
final class AvroExporter implements Exporter {

    @Override
    public long write(Export what, OutputStream out) throws IOException {
        Path folder = Files.createTempDirectory(what.scratch(), ".trapline-export");
        try {
            long events;
            try (Journal journal = Journals.open("file:" + folder, Optional.empty())) {
                events = SessionCopy.copy(what.session(), journal, what.progress());
            }
            Files.copy(folder.resolve(what.session().name() + ".avro"), out);
            return events;
        } finally {
            remove(folder);
        }
    }

    private static void remove(Path folder) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }
}

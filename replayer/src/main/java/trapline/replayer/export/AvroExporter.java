package trapline.replayer.export;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.journal.SessionReader;
import trapline.journal.SessionWriter;
import trapline.replayer.Session;
import trapline.schemas.BlobRef;
import trapline.schemas.Checkpoint;
import trapline.schemas.ClosingRecord;
import trapline.schemas.Digest;
import trapline.schemas.EventEncoder;

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
                events = copy(what, journal);
            }
            Files.copy(folder.resolve(what.session().name() + ".avro"), out);
            return events;
        } finally {
            remove(folder);
        }
    }

    private static long copy(Export what, Journal journal) throws IOException {
        Session session = what.session();
        SessionReader reader = session.reader();
        try (SessionWriter writer = journal.create(session.header(), blobs(session))) {
            EventEncoder encoder = new EventEncoder(journal.framing());
            int[] checkpoints = new int[1];
            long events =
                    what.each(envelope -> {
                        writer.append(encoder.encode(envelope));
                        long order = envelope.stamp().order();
                        while (checkpoints[0] < reader.checkpoints()
                                && reader.checkpointRef(checkpoints[0]).order() == order) {
                            writer.checkpoint(checkpoint(reader, checkpoints[0]++, encoder));
                        }
                    });
            session.entry()
                    .closing()
                    .ifPresent(closing -> writer.finish(chained(closing, encoder.chain())));
            return events;
        }
    }

    private static Map<Digest, byte[]> blobs(Session session) {
        Map<Digest, byte[]> blobs = new LinkedHashMap<>();
        for (BlobRef ref : session.header().blobs()) {
            blobs.put(ref.sha256(), session.reader().blob(ref.sha256()));
        }
        return blobs;
    }

    /// The chain goes over the framing, too, which may have been another one in the log.
    private static Checkpoint checkpoint(SessionReader reader, int number, EventEncoder encoder) {
        Checkpoint found = reader.checkpoint(reader.checkpointRef(number));
        return new Checkpoint(
                found.session(),
                found.order(),
                found.seqs(),
                found.ticks(),
                found.eventOffset(),
                encoder.chain(),
                found.modelVersion(),
                found.state());
    }

    private static ClosingRecord chained(ClosingRecord closing, int chain) {
        return new ClosingRecord(
                closing.events(),
                closing.vcpuEvents(),
                closing.guestOps(),
                closing.digest(),
                chain,
                closing.checkpoints(),
                closing.reason());
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

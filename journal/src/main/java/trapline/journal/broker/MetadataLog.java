package trapline.journal.broker;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.journal.disk.DiskFailure;

/// The broker's own log, in which it keeps what topics there are.
///
/// Kafka mends it by forgetting all that stands behind a damaged batch, and topics that are
/// forgotten are as good as lost; so it is looked through before Kafka sees it.
///
/// ```
/// offset 8 | length of the rest 4 | epoch 4 | magic 1 | CRC 4 | attributes 2 | last delta 4 | …
/// ```
final class MetadataLog {

    private static final int LENGTH = 8;
    private static final int PREFIX = 12;
    private static final int MAGIC = 16;
    private static final int CRC = 17;
    private static final int COVERED = 21;
    private static final int LAST_DELTA = 23;
    private static final int LEAST = 61;
    private static final String FOLDER = "__cluster_metadata-0";
    private static final String SEGMENT = "[0-9]{20}\\.log";

    private final BrokerFolder folder;

    MetadataLog(BrokerFolder folder) {
        this.folder = folder;
    }

    /// @throws JournalException if some of it is damaged. That the last batch is not whole is none
    ///     after a process was killed.
    void check() {
        Path path = folder.data().resolve(FOLDER);
        if (!Files.isDirectory(path)) {
            return;
        }
        boolean killed = !Files.exists(folder.data().resolve(".kafka_cleanshutdown"));
        try (Stream<Path> files = Files.list(path)) {
            List<Path> segments =
                    files.filter(file -> file.getFileName().toString().matches(SEGMENT))
                            .sorted()
                            .toList();
            for (Path segment : segments) {
                boolean last = segment.equals(segments.getLast());
                check(segment, Files.readAllBytes(segment), killed && last);
            }
        } catch (IOException e) {
            throw DiskFailure.of(path, "be read", e);
        }
    }

    private static void check(Path segment, byte[] bytes, boolean mayEndEarly) {
        ByteBuffer numbers = ByteBuffer.wrap(bytes);
        long offset = firstOffset(segment);
        int position = 0;
        while (position < bytes.length) {
            int left = bytes.length - position;
            int size = left < PREFIX ? PREFIX : PREFIX + numbers.getInt(position + LENGTH);
            if (size > left && mayEndEarly) {
                return;
            }
            if (size > left
                    || size < LEAST
                    || numbers.getLong(position) != offset
                    || numbers.get(position + MAGIC) != 2
                    || numbers.getInt(position + CRC) != crc(bytes, position, size)) {
                throw new JournalException(
                        Kind.DAMAGED,
                        segment + "@" + position,
                        "the broker's metadata is damaged there; the log is left as it is");
            }
            offset += numbers.getInt(position + LAST_DELTA) + 1L;
            position += size;
        }
    }

    private static long firstOffset(Path segment) {
        return Long.parseLong(segment.getFileName().toString().replace(".log", ""));
    }

    private static int crc(byte[] bytes, int position, int size) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, position + COVERED, size - COVERED);
        return (int) crc.getValue();
    }
}

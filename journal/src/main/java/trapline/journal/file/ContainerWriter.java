package trapline.journal.file;

import com.github.luben.zstd.ZstdCompressCtx;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import trapline.journal.JournalException;
import trapline.journal.JournalException.Kind;
import trapline.journal.SessionWriter;
import trapline.journal.disk.DiskFailure;
import trapline.journal.disk.FileHold;
import trapline.journal.session.Closing;
import trapline.journal.session.Pieces;
import trapline.schemas.AvroWriter;
import trapline.schemas.Blob;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.Checkpoint;
import trapline.schemas.CheckpointPage;
import trapline.schemas.CheckpointRef;
import trapline.schemas.ClosingRecord;
import trapline.schemas.Codec;
import trapline.schemas.Digest;
import trapline.schemas.ExitObserved;
import trapline.schemas.ExitStatistics;
import trapline.schemas.Frame;
import trapline.schemas.Framing;
import trapline.schemas.SessionHeader;

/// Records one session into an Avro container file.
///
/// ```
/// header | entry (open) | contents… | events | checkpoint | events | … | pages… | entry (closed)
/// ```
///
/// Each of these is a block or more; a checkpoint ends the block of events before it, so that
/// reading can begin behind it. [#acknowledged] counts the events that the operating system has:
/// they survive the end of this process. They are forced onto the disk every few seconds and at the
/// end.
///
/// Blocks are packed with Zstandard, level 1: of what Avro knows it unpacks the fastest by far for
/// its size (about four times deflate's speed), in a thread beside the one that decodes.
final class ContainerWriter implements SessionWriter {

    private static final int HEADER = 10;
    private static final int BLOCK = 256 << 10;
    private static final int LEVEL = 1;
    private static final int LOOK_EVERY = 1 << 10;
    private static final long WRITE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long FORCE_NANOS = TimeUnit.SECONDS.toNanos(5);

    private static final byte[] EVENT = Framing.SINGLE_OBJECT.header("Envelope");
    private static final int EVENT_BRANCH = ContainerHeader.branch("Envelope");

    private final Path path;
    private final FileHold hold;
    private final FileChannel channel;
    private final CatalogueEntry opened;
    private final Consumer<SessionWriter> done;
    private final byte[] sync;
    private final ZstdCompressCtx zstd = new ZstdCompressCtx();
    private final AvroWriter block = new AvroWriter();
    private final AvroWriter head = new AvroWriter();
    private final List<CheckpointRef> checkpoints = new ArrayList<>();
    private ByteBuffer packed = ByteBuffer.allocate(BLOCK);
    private long position;
    private long firstEvents;
    private long blockCount;
    private long appended;
    private long acknowledged;
    private long written = System.nanoTime();
    private long forced = written;
    private JournalException torn;
    private boolean closed;

    /// Begins the file, which is there under its name only once its beginning is whole.
    ///
    /// @param hold held while this is open
    static ContainerWriter create(
            Path path,
            FileHold hold,
            SessionHeader header,
            Map<Digest, byte[]> blobs,
            Consumer<SessionWriter> done) {
        Path draft = path.resolveSibling("." + path.getFileName() + ".new");
        ContainerWriter writer = null;
        try {
            writer = new ContainerWriter(path, draft, hold, header, done);
            writer.begin(blobs);
            Files.move(draft, path, StandardCopyOption.ATOMIC_MOVE);
            return writer;
        } catch (IOException e) {
            if (writer != null) {
                writer.close();
            }
            delete(draft);
            throw DiskFailure.of(path, "be created", e);
        }
    }

    private ContainerWriter(
            Path path,
            Path draft,
            FileHold hold,
            SessionHeader header,
            Consumer<SessionWriter> done)
            throws IOException {
        this.path = path;
        this.hold = hold;
        this.done = done;
        channel =
                FileChannel.open(
                        draft,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE);
        opened = entry(header, Status.OPEN, 0, Optional.empty());
        zstd.setLevel(LEVEL).setChecksum(true);
        byte[] start = ContainerHeader.encode(header.session());
        sync = Arrays.copyOfRange(start, start.length - ContainerHeader.SYNC_LENGTH, start.length);
        write(ByteBuffer.wrap(start));
    }

    private void begin(Map<Digest, byte[]> blobs) throws IOException {
        writeAlone(CatalogueEntry.CODEC, opened);
        for (Map.Entry<Digest, byte[]> blob : blobs.entrySet()) {
            for (Blob piece : Pieces.cut(blob.getKey(), blob.getValue())) {
                writeAlone(Blob.CODEC, piece);
            }
        }
        firstEvents = position;
    }

    @Override
    public void append(byte[] event) {
        checkIntact();
        if (!Arrays.equals(event, 0, HEADER, EVENT, 0, HEADER)) {
            throw new IllegalArgumentException("not an event of this version's schema");
        }
        add(EVENT_BRANCH, event);
        appended++;
        if (block.size() >= BLOCK || (appended % LOOK_EVERY == 0 && isDue(written, WRITE_NANOS))) {
            writeEvents();
        }
    }

    @Override
    public long acknowledged() {
        return acknowledged;
    }

    @Override
    public void checkpoint(Checkpoint given) {
        checkIntact();
        writeEvents();
        Checkpoint placed =
                new Checkpoint(
                        given.session(),
                        given.order(),
                        given.seqs(),
                        given.ticks(),
                        appended - 1,
                        given.chain(),
                        given.modelVersion(),
                        given.state());
        checkpoints.add(
                new CheckpointRef(
                        placed.order(),
                        placed.seqs(),
                        placed.ticks(),
                        placed.eventOffset(),
                        0,
                        position));
        tearing(() -> writeAlone(Checkpoint.CODEC, placed));
    }

    @Override
    public boolean keepsExits() {
        return false;
    }

    @Override
    public void exit(ExitObserved exit) {}

    @Override
    public void statistics(ExitStatistics statistics) {}

    @Override
    public void finish(ClosingRecord closing) {
        checkIntact();
        writeEvents();
        ClosingRecord counted = Closing.withCheckpoints(closing, checkpoints.size());
        Status status = closing.reason().isEmpty() ? Status.CLOSED : Status.TORN;
        tearing(() -> {
            int pages = writePages();
            writeAlone(
                    CatalogueEntry.CODEC,
                    entry(opened.header(), status, pages, Optional.of(counted)));
            channel.force(true);
        });
        close();
    }

    @Override
    public String place() {
        return path.toString();
    }

    private int writePages() throws IOException {
        int pages = Math.ceilDiv(checkpoints.size(), CheckpointPage.SIZE);
        for (int page = 0; page < pages; page++) {
            int from = page * CheckpointPage.SIZE;
            int to = Math.min(checkpoints.size(), from + CheckpointPage.SIZE);
            writeAlone(
                    CheckpointPage.CODEC,
                    new CheckpointPage(
                            opened.header().session(), page, checkpoints.subList(from, to)));
        }
        return pages;
    }

    private CatalogueEntry entry(
            SessionHeader header, Status status, int pages, Optional<ClosingRecord> closing) {
        return new CatalogueEntry(
                header,
                status,
                System.currentTimeMillis(),
                -1,
                firstEvents,
                acknowledged,
                pages,
                closing);
    }

    /// Writes the events there are, and sees to it that they reach the disk now and then.
    private void writeEvents() {
        tearing(() -> {
            if (blockCount > 0) {
                writeBlock();
            }
            acknowledged = appended;
            if (isDue(forced, FORCE_NANOS)) {
                channel.force(false);
                forced = System.nanoTime();
            }
        });
    }

    private static boolean isDue(long since, long nanos) {
        return System.nanoTime() - since > nanos;
    }

    private <T> void writeAlone(Codec<T> codec, T value) throws IOException {
        Frame<T> frame = new Frame<>(codec, Framing.SINGLE_OBJECT, Framing.Writers.OURS);
        add(ContainerHeader.branch(codec.schema()), frame.encode(value));
        writeBlock();
    }

    /// Adds to the block a record as it would be in a topic; its header is left out, the union's
    /// branch says as much.
    private void add(int branch, byte[] record) {
        block.writeInt(branch);
        block.writeFixed(record, HEADER, record.length - HEADER);
        blockCount++;
    }

    private void writeBlock() throws IOException {
        if (block.size() > ContainerFile.LARGEST_BLOCK) {
            throw new IOException("a record of %d bytes is too large".formatted(block.size()));
        }
        byte[] data = zstd.compress(Arrays.copyOf(block.buffer(), block.size()));
        head.reset();
        head.writeLong(blockCount);
        head.writeLong(data.length);
        int size = head.size() + data.length + sync.length;
        if (packed.capacity() < size) {
            packed = ByteBuffer.allocate(size);
        }
        packed.clear().put(head.buffer(), 0, head.size()).put(data).put(sync);
        write(packed.flip());
        block.reset();
        blockCount = 0;
        written = System.nanoTime();
    }

    private void write(ByteBuffer bytes) throws IOException {
        int size = bytes.remaining();
        while (bytes.hasRemaining()) {
            channel.write(bytes, position + size - bytes.remaining());
        }
        position += size;
    }

    private void checkIntact() {
        if (torn != null) {
            throw torn;
        }
    }

    private interface Step {
        void run() throws IOException;
    }

    /// Does what may fail; then the file ends with its last whole block.
    private void tearing(Step step) {
        try {
            step.run();
        } catch (IOException e) {
            torn =
                    new JournalException(
                            Kind.STORAGE,
                            path.toString(),
                            ("cannot be written: %s; session %s ends torn: "
                                            + "of %d events the file has the first %d")
                                    .formatted(
                                            DiskFailure.reason(e),
                                            opened.header().session(),
                                            appended,
                                            acknowledged),
                            e);
            truncate();
            close();
            throw torn;
        }
    }

    private void truncate() {
        try {
            channel.truncate(position);
        } catch (IOException e) {
            // Readers stop at the last whole block anyway.
        }
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            // A hidden file is left, which the next recording of this name replaces.
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try (channel) {
            zstd.close();
        } catch (IOException e) {
            // What was acknowledged was written before.
        }
        hold.discard();
        done.accept(this);
    }
}

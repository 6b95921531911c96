package trapline.journal.file;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import java.util.function.ToLongFunction;
import trapline.journal.JournalException;
import trapline.journal.SessionReader;
import trapline.journal.session.CheckpointIndex;
import trapline.journal.session.Patience;
import trapline.journal.session.Pieces;
import trapline.schemas.Blob;
import trapline.schemas.BlobRef;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.Checkpoint;
import trapline.schemas.CheckpointPage;
import trapline.schemas.CheckpointRef;
import trapline.schemas.ClosingRecord;
import trapline.schemas.Digest;
import trapline.schemas.Framing;

/// Reads one session out of its container file.
final class ContainerReader implements SessionReader {

    private final Container container;
    private final ContainerFile file;
    private final BooleanSupplier recorded;
    private final CatalogueEntry entry;
    private CheckpointIndex index;

    /// @param recorded whether a process writes the file now
    ContainerReader(Path path, BooleanSupplier recorded) {
        this.recorded = recorded;
        container = Container.open(path);
        file = container.file();
        try {
            entry = container.closed().orElseGet(() -> unfinished(recorded.getAsBoolean()));
        } catch (JournalException e) {
            container.close();
            throw e;
        }
    }

    /// A file without an end is being written, or it is torn.
    private CatalogueEntry unfinished(boolean recorded) {
        CatalogueEntry opened = container.opened();
        ContainerScan scan = new ContainerScan(container);
        index = CheckpointIndex.of(opened.header().session(), scan.checkpoints());
        return new CatalogueEntry(
                opened.header(),
                recorded ? Status.OPEN : Status.TORN,
                opened.heartbeatMillis(),
                opened.partition(),
                container.afterEntry(),
                scan.events(),
                0,
                Optional.empty());
    }

    @Override
    public String place() {
        return file.path().toString();
    }

    @Override
    public String place(CheckpointRef ref) {
        return file.path() + "@" + ref.offset();
    }

    @Override
    public String entryPlace() {
        long first = file.start();
        return file.path() + "@" + (entry.closing().isPresent() ? last() : first);
    }

    private long last() {
        return file.before(file.size()).orElseThrow();
    }

    /// What is behind the last whole block is for who reads the events to find.
    @Override
    public List<JournalException> unreadable() {
        return List.of();
    }

    @Override
    public CheckpointRef checkpointRef(int number) {
        return index().get(number);
    }

    @Override
    public CatalogueEntry entry() {
        return entry;
    }

    @Override
    public Framing.Writers writers() {
        return container;
    }

    /// Contents stand behind the first entry, before the first event.
    @Override
    public byte[] blob(Digest sha256) {
        BlobRef ref = Pieces.ref(entry.header(), sha256, file.path().toString());
        PieceWalk walk = new PieceWalk(sha256);
        return Pieces.join(ref, file.path().toString(), walk::piece);
    }

    @Override
    public void read(CheckpointRef from, RecordHandler handler) {
        file.look();
        EventWalk walk = walk(from, handler);
        drain(walk, entry.closing());
    }

    @Override
    public void follow(CheckpointRef from, RecordHandler handler) {
        EventWalk walk = walk(from, handler);
        boolean open;
        do {
            open = recorded.getAsBoolean();
            file.look();
            drain(walk, container.closed().flatMap(CatalogueEntry::closing));
        } while (open && !walk.isStopped() && Patience.pause());
    }

    private EventWalk walk(CheckpointRef from, RecordHandler handler) {
        return from == null
                ? new EventWalk(file, handler, 0, entry.firstOffset())
                : new EventWalk(file, handler, from.order(), after(from));
    }

    /// A file that lost events must not pass for a shorter session.
    private void drain(EventWalk walk, Optional<ClosingRecord> closing) {
        long total = closing.map(ClosingRecord::events).orElse(Long.MAX_VALUE);
        if (walk.events() < total) {
            walk.drain(total);
        }
        if (!walk.isStopped() && closing.isPresent() && walk.events() < total) {
            throw file.damaged(
                    file.size(),
                    "the file ends after event %d of session %s, which has %d"
                            .formatted(walk.events(), entry.header().session(), total));
        }
    }

    private long after(CheckpointRef from) {
        return file.head(from.offset())
                .orElseThrow(() -> file.damaged(from.offset(), "the file ends here"))
                .next();
    }

    @Override
    public Optional<CheckpointRef> checkpointBefore(long order) {
        return last(CheckpointRef::order, order);
    }

    @Override
    public Optional<CheckpointRef> checkpointBefore(int vcpu, long seq) {
        return last(ref -> vcpu < ref.seqs().length ? ref.seqs()[vcpu] : Long.MAX_VALUE, seq);
    }

    private Optional<CheckpointRef> last(ToLongFunction<CheckpointRef> value, long limit) {
        return index().last(value, limit);
    }

    @Override
    public Checkpoint checkpoint(CheckpointRef ref) {
        Checkpoint found = container.read(Checkpoint.CODEC, ref.offset());
        if (found.order() != ref.order()) {
            throw file.damaged(
                    ref.offset(),
                    "expected the checkpoint after event %d, found the one after event %d"
                            .formatted(ref.order(), found.order()));
        }
        return found;
    }

    @Override
    public int checkpoints() {
        return index().size();
    }

    /// The pages are the blocks before the last one.
    private CheckpointIndex index() {
        if (index == null) {
            long[] positions = new long[entry.pages()];
            long end = last();
            for (int page = positions.length - 1; page >= 0; page--) {
                OptionalLong before = file.before(end);
                long at = end;
                end =
                        before.orElseThrow(
                                () -> file.damaged(at, "expected a page of checkpoints before"));
                positions[page] = end;
            }
            index =
                    new CheckpointIndex(
                            positions.length,
                            page -> container.read(CheckpointPage.CODEC, positions[page]));
        }
        return index;
    }

    @Override
    public void close() {
        container.close();
    }

    /// The pieces of one content, in order.
    private final class PieceWalk {

        private final Digest sha256;
        private long position = container.afterEntry();

        PieceWalk(Digest sha256) {
            this.sha256 = sha256;
        }

        Blob piece(int index) {
            while (true) {
                Blob found = container.read(Blob.CODEC, position);
                position = file.head(position).orElseThrow().next();
                if (found.sha256().equals(sha256) && found.index() == index) {
                    return found;
                }
            }
        }
    }
}

package trapline.journal.file;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import trapline.journal.JournalException;
import trapline.schemas.Checkpoint;
import trapline.schemas.CheckpointRef;

/// What a file without an end holds, told by the heads of its blocks: how many events, and where
/// the checkpoints are.
///
/// It stops at the first block that is not whole; reading says what is the matter there.
final class ContainerScan {

    private final Container container;
    private final List<CheckpointRef> checkpoints = new ArrayList<>();
    private long events;

    ContainerScan(Container container) {
        this.container = container;
        try {
            scan();
        } catch (JournalException e) {
            // Whatever comes behind cannot be reached.
        }
    }

    long events() {
        return events;
    }

    List<CheckpointRef> checkpoints() {
        return checkpoints;
    }

    private void scan() {
        ContainerFile file = container.file();
        long position = container.afterEntry();
        for (Optional<ContainerFile.Head> head = file.head(position);
                head.isPresent();
                head = file.head(position)) {
            if (head.get().count() == 1) {
                visit(position);
            } else {
                events += head.get().count();
            }
            position = head.get().next();
        }
    }

    /// Everything but events stands alone in its block.
    private void visit(long position) {
        RecordCursor cursor = container.enter(position);
        if (cursor.is("Envelope")) {
            events++;
        } else if (cursor.is("Checkpoint")) {
            Checkpoint found = container.decode(Checkpoint.CODEC, cursor, position);
            checkpoints.add(
                    new CheckpointRef(
                            found.order(),
                            found.seqs(),
                            found.ticks(),
                            found.eventOffset(),
                            0,
                            position));
        }
    }
}

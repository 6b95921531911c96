package trapline.journal.file;

import java.util.Optional;
import trapline.journal.SessionReader.Place;
import trapline.journal.SessionReader.RecordHandler;
import trapline.journal.session.Prefetch;

/// Hands the events of a file's blocks to a handler, and is the place of each in turn.
///
/// Blocks are read and unpacked in a thread of their own.
final class EventWalk implements Place {

    private final ContainerFile file;
    private final RecordHandler handler;
    private final RecordCursor cursor;
    private long events;
    private long block;
    private long position;
    private boolean stopped;

    /// @param before how many events stand before the first one to hand over
    /// @param first the position of the block to begin at
    EventWalk(ContainerFile file, RecordHandler handler, long before, long first) {
        this.file = file;
        this.handler = handler;
        cursor = new RecordCursor(file);
        events = before;
        position = first;
    }

    /// How many events the session has up to here.
    long events() {
        return events;
    }

    /// Whether the handler wants no more.
    boolean isStopped() {
        return stopped;
    }

    /// Hands over what the file has, until the session has so many events.
    void drain(long total) {
        try (Prefetch<Block> blocks = new Prefetch<>("trapline-unpack", this::fetch)) {
            while (!stopped && events < total) {
                Block next = blocks.next();
                if (next == null) {
                    return;
                }
                drain(next);
            }
        }
    }

    /// Runs in the other thread.
    private Block fetch() {
        Optional<Block> next = file.read(position);
        next.ifPresent(found -> position = found.next());
        return next.orElse(null);
    }

    private void drain(Block next) {
        block = next.position();
        cursor.enter(next);
        while (!stopped && cursor.next()) {
            if (cursor.isEvent()) {
                events++;
                stopped = !handler.record(cursor.record(), 0, cursor.length(), this);
            }
        }
    }

    @Override
    public String describe() {
        return "%s@%d (event %d)".formatted(file.path(), block, events);
    }

    @Override
    public long offset() {
        return events - 1;
    }
}

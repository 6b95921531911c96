package trapline.journal.kafka;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import trapline.schemas.Checkpoint;
import trapline.schemas.CheckpointPage;
import trapline.schemas.CheckpointRef;
import trapline.schemas.Frame;

/// Keeps a recording's catalogue up to date, in a thread of its own: signs of life, checkpoints,
/// the pages that list them.
///
/// A checkpoint is written once its event is acknowledged, and listed once it is acknowledged
/// itself.
final class Keeper implements AutoCloseable {

    private static final long TICK_MILLIS = 20;
    private static final long HEARTBEAT_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final long ROOM_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
    private static final long PAGE_NANOS = TimeUnit.SECONDS.toNanos(2);

    /// So many checkpoints may wait for their events or for themselves to be acknowledged.
    private static final int WAITING = 64;

    private final Cluster cluster;
    private final String session;
    private final NoteWriter notes;
    private final EventFeed feed;
    private final TopicPartition checkpoints;
    private final TopicPartition catalogue;
    private final Frame<Checkpoint> checkpointFrame;
    private final Frame<CheckpointPage> pageFrame;
    private final Runnable heartbeat;
    private final Thread thread;

    private final Queue<Waiting> waiting = new ConcurrentLinkedQueue<>();
    private final Queue<CheckpointRef> written = new ConcurrentLinkedQueue<>();
    private final Semaphore room = new Semaphore(WAITING);
    private final AtomicInteger unacknowledgedPages = new AtomicInteger();
    private volatile boolean stopping;

    // The thread's own, and after its end the recorder's.
    private final List<CheckpointRef> page = new ArrayList<>();
    private int pageNumber;
    private int listed;
    private boolean pageChanged;
    private long pageWritten;
    private long heartbeatWritten;
    private long roomChecked;

    Keeper(Recording recording, EventFeed feed, Runnable heartbeat) {
        cluster = recording.cluster();
        session = recording.session();
        notes = recording.notes();
        this.feed = feed;
        checkpoints = recording.checkpoints();
        catalogue = recording.catalogue();
        checkpointFrame = recording.frame(Checkpoint.CODEC);
        pageFrame = recording.frame(CheckpointPage.CODEC);
        this.heartbeat = heartbeat;
        heartbeatWritten = System.nanoTime();
        thread = new Thread(this::run, "trapline-keeper");
        thread.setDaemon(true);
        thread.start();
    }

    /// A checkpoint, and the event that it waits for; null for none.
    private record Waiting(Checkpoint checkpoint, Future<RecordMetadata> event) {}

    /// Takes a checkpoint of the last event appended.
    void add(Checkpoint checkpoint) {
        while (!room.tryAcquire()) {
            if (feed.failure().isPresent() || !pause()) {
                return;
            }
        }
        feed.mark(event -> waiting.add(new Waiting(checkpoint, event)));
    }

    /// Waits until all is written and acknowledged, or something failed. Adds nothing afterwards.
    void finish() {
        while (feed.failure().isEmpty() && room.availablePermits() < WAITING) {
            if (!pause()) {
                return;
            }
        }
        stop();
        list();
        writePage();
        while (feed.failure().isEmpty() && unacknowledgedPages.get() > 0 && pause()) {
            // Each pause brings it nearer.
        }
    }

    /// How many checkpoints are listed.
    int checkpoints() {
        return listed;
    }

    /// How many pages there are.
    int pages() {
        return pageNumber + (page.isEmpty() ? 0 : 1);
    }

    private boolean pause() {
        try {
            Thread.sleep(1);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            feed.fail(e);
            return false;
        }
    }

    private void run() {
        try {
            while (!stopping && feed.failure().isEmpty()) {
                writeCheckpoints();
                list();
                long now = System.nanoTime();
                if (pageChanged && now - pageWritten > PAGE_NANOS) {
                    writePage();
                }
                if (now - roomChecked > ROOM_NANOS) {
                    roomChecked = now;
                    cluster.checkRoom();
                }
                if (now - heartbeatWritten > HEARTBEAT_NANOS) {
                    heartbeatWritten = now;
                    heartbeat.run();
                }
                Thread.sleep(TICK_MILLIS);
            }
        } catch (InterruptedException e) {
            // Told to stop.
        } catch (RuntimeException e) {
            feed.fail(e);
        }
    }

    private void writeCheckpoints() throws InterruptedException {
        for (Waiting next = waiting.peek(); next != null; next = waiting.peek()) {
            if (next.event() != null && !next.event().isDone()) {
                return;
            }
            waiting.remove();
            write(next);
        }
    }

    private void write(Waiting next) throws InterruptedException {
        Checkpoint given = next.checkpoint();
        Checkpoint placed =
                new Checkpoint(
                        given.session(),
                        given.order(),
                        given.seqs(),
                        given.ticks(),
                        offset(next.event()),
                        given.chain(),
                        given.modelVersion(),
                        given.state());
        notes.send(
                checkpoints,
                session,
                checkpointFrame.encode(placed),
                (metadata, e) -> acknowledged(placed, metadata, e));
    }

    private long offset(Future<RecordMetadata> event) throws InterruptedException {
        try {
            return event == null ? -1 : event.get().offset();
        } catch (ExecutionException e) {
            throw KafkaFailure.of(e, checkpoints.toString(), "write a checkpoint");
        }
    }

    /// Runs in the producer's thread.
    private void acknowledged(Checkpoint checkpoint, RecordMetadata metadata, Exception e) {
        if (e != null) {
            feed.fail(KafkaFailure.of(e, checkpoints.toString(), "write a checkpoint"));
            return;
        }
        written.add(
                new CheckpointRef(
                        checkpoint.order(),
                        checkpoint.seqs(),
                        checkpoint.ticks(),
                        checkpoint.eventOffset(),
                        metadata.partition(),
                        metadata.offset()));
        room.release();
    }

    private void list() {
        for (CheckpointRef ref = written.poll(); ref != null; ref = written.poll()) {
            page.add(ref);
            listed++;
            pageChanged = true;
            if (page.size() == CheckpointPage.SIZE) {
                writePage();
                page.clear();
                pageNumber++;
            }
        }
    }

    private void writePage() {
        if (!pageChanged) {
            return;
        }
        pageChanged = false;
        pageWritten = System.nanoTime();
        unacknowledgedPages.incrementAndGet();
        notes.send(
                catalogue,
                Catalogue.pageKey(session, pageNumber),
                pageFrame.encode(new CheckpointPage(session, pageNumber, List.copyOf(page))),
                (_, e) -> {
                    if (e != null) {
                        feed.fail(KafkaFailure.of(e, catalogue.toString(), "list checkpoints"));
                    }
                    unacknowledgedPages.decrementAndGet();
                });
    }

    private void stop() {
        stopping = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            feed.fail(e);
        }
    }

    @Override
    public void close() {
        stopping = true;
        thread.interrupt();
        stop();
    }
}

package trapline.journal.kafka;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;

/// Carries one session's events to its partition, in order and never far ahead of what is
/// acknowledged.
///
/// A thread of its own hands them to Kafka's producer, so that compressing them costs the recorder
/// no time. Events that fail are never followed by later ones: the first failure ends the producer
/// from within its own thread, before that could send another batch.
final class EventFeed implements AutoCloseable {

    /// So many events may be ahead of the last one acknowledged, and so many bytes.
    static final int WINDOW = 1 << 16;

    static final int WINDOW_BYTES = 24 << 20;

    private static final int SLOTS = 1 << 14;
    private static final int MASK = SLOTS - 1;
    private static final long NAP_NANOS = 200_000;

    private final Cluster cluster;
    private final Producer<byte[], byte[]> producer;
    private final TopicPartition events;
    private final byte[] key;
    private final Thread thread;
    private final Object[] slots = new Object[SLOTS];
    private final AtomicLong filled = new AtomicLong();
    private final AtomicLong emptied = new AtomicLong();
    private final AtomicLong acknowledged = new AtomicLong();
    private final AtomicLong acknowledgedBytes = new AtomicLong();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final Callback eventDone = this::eventDone;
    private final Callback otherDone = (_, e) -> checkDone(e);
    private volatile boolean closing;

    // The recorder's own.
    private long put;
    private long appended;
    private long appendedBytes;
    private long seenEmptied;
    private long seenAcknowledged;
    private long seenAcknowledgedBytes;

    EventFeed(Recording recording, Producer<byte[], byte[]> producer) {
        this.producer = producer;
        cluster = recording.cluster();
        events = recording.events();
        key = Recording.key(recording.session());
        thread = new Thread(this::feed, "trapline-feed");
        thread.setDaemon(true);
        thread.start();
    }

    /// A record for another topic, which takes its turn among the events.
    record Aside(TopicPartition partition, byte[] value) {}

    /// Is told what became of the event before it.
    interface Mark {
        void sent(Future<RecordMetadata> event);
    }

    void append(byte[] event) {
        appended++;
        appendedBytes += event.length;
        if (appended - seenAcknowledged > WINDOW
                || appendedBytes - seenAcknowledgedBytes > WINDOW_BYTES) {
            awaitWindow();
        }
        put(event);
    }

    void append(Aside record) {
        put(record);
    }

    void mark(Mark mark) {
        put(mark);
    }

    long appended() {
        return appended;
    }

    long acknowledged() {
        return acknowledged.getAcquire();
    }

    /// What went wrong, if anything did.
    Optional<Throwable> failure() {
        return Optional.ofNullable(failure.get());
    }

    /// Whether something went wrong, at the least cost; what, [#failure] says.
    boolean isBroken() {
        return failure.getOpaque() != null;
    }

    /// Ends the feed: nothing more is sent.
    void fail(Throwable cause) {
        if (failure.compareAndSet(null, cause)) {
            close(Duration.ZERO);
        }
    }

    /// Waits until every event is acknowledged, or something failed.
    void awaitAll() {
        while (acknowledged() < appended || emptied.getAcquire() < put) {
            if (isGivenUp()) {
                return;
            }
            LockSupport.parkNanos(NAP_NANOS);
        }
    }

    private void put(Object item) {
        if (put - seenEmptied == SLOTS) {
            awaitSlot();
        }
        slots[(int) put & MASK] = item;
        filled.setRelease(++put);
    }

    private void awaitSlot() {
        while (put - (seenEmptied = emptied.getAcquire()) == SLOTS && !isGivenUp()) {
            LockSupport.parkNanos(NAP_NANOS);
        }
    }

    private void awaitWindow() {
        while (!isGivenUp()) {
            seenAcknowledged = acknowledged.getAcquire();
            seenAcknowledgedBytes = acknowledgedBytes.getAcquire();
            if (appended - seenAcknowledged <= WINDOW
                    && appendedBytes - seenAcknowledgedBytes <= WINDOW_BYTES) {
                return;
            }
            LockSupport.parkNanos(NAP_NANOS);
        }
    }

    private boolean isGivenUp() {
        if (Thread.currentThread().isInterrupted()) {
            fail(new InterruptException("the recorder was interrupted"));
        }
        cluster.fault().ifPresent(this::fail);
        return isBroken();
    }

    private void feed() {
        long at = 0;
        Future<RecordMetadata> last = null;
        try {
            while (failure.get() == null) {
                long limit = filled.getAcquire();
                if (at == limit) {
                    if (closing) {
                        return;
                    }
                    LockSupport.parkNanos(NAP_NANOS);
                }
                while (at < limit) {
                    int slot = (int) at & MASK;
                    last = send(slots[slot], last);
                    slots[slot] = null;
                    at++;
                    if ((at & 255) == 0 || at == limit) {
                        emptied.setRelease(at);
                    }
                }
            }
        } catch (RuntimeException e) {
            fail(e);
        }
    }

    private Future<RecordMetadata> send(Object item, Future<RecordMetadata> last) {
        return switch (item) {
            case byte[] event ->
                    producer.send(
                            new ProducerRecord<>(events.topic(), events.partition(), key, event),
                            eventDone);
            case Aside(TopicPartition partition, byte[] value) -> {
                var _ =
                        producer.send(
                                new ProducerRecord<>(
                                        partition.topic(), partition.partition(), key, value),
                                otherDone);
                yield last;
            }
            case Mark mark -> {
                mark.sent(last);
                yield last;
            }
            default -> throw new IllegalStateException("not for the feed: " + item);
        };
    }

    /// Runs in the producer's thread, for each event in order.
    private void eventDone(RecordMetadata metadata, Exception e) {
        if (checkDone(e)) {
            acknowledgedBytes.lazySet(
                    acknowledgedBytes.getPlain() + metadata.serializedValueSize());
            acknowledged.lazySet(acknowledged.getPlain() + 1);
        }
    }

    /// Whether this and all before it went well.
    private boolean checkDone(Exception e) {
        if (e != null) {
            fail(e);
        }
        return !isBroken();
    }

    @Override
    public void close() {
        closing = true;
        try {
            thread.join(Clients.LEAVE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        close(isBroken() ? Duration.ZERO : Clients.LEAVE);
    }

    private void close(Duration patience) {
        try {
            producer.close(patience);
        } catch (KafkaException e) {
            // What was not acknowledged is not in the count either.
        }
    }
}

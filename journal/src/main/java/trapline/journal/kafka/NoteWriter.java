package trapline.journal.kafka;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import trapline.journal.JournalException;

/// Writes what is small and seldom: the catalogue, schemas, blobs, checkpoints. Thread-safe.
final class NoteWriter implements AutoCloseable {

    private static final long POLL_MILLIS = 100;

    private final Clients clients;
    private final Cluster cluster;
    private Producer<byte[], byte[]> producer;

    NoteWriter(Clients clients, Cluster cluster) {
        this.clients = clients;
        this.cluster = cluster;
    }

    /// Writes a record and waits until it is acknowledged.
    RecordMetadata write(TopicPartition partition, String key, byte[] value) {
        try {
            Future<RecordMetadata> sent = producer().send(record(partition, key, value));
            while (!isDone(sent)) {
                cluster.fault().ifPresent(NoteWriter::fail);
            }
            return sent.get();
        } catch (KafkaException
                | ExecutionException
                | InterruptedException
                | IllegalStateException e) {
            throw KafkaFailure.of(e, partition.toString(), "write to it");
        }
    }

    private static boolean isDone(Future<RecordMetadata> sent) throws InterruptedException {
        try {
            sent.get(POLL_MILLIS, TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            return true;
        }
    }

    private static void fail(JournalException fault) {
        throw fault;
    }

    /// Writes a record, whose fate `done` is told.
    void send(TopicPartition partition, String key, byte[] value, Callback done) {
        try {
            var _ = producer().send(record(partition, key, value), done);
        } catch (KafkaException | IllegalStateException e) {
            done.onCompletion(null, e);
        }
    }

    private static ProducerRecord<byte[], byte[]> record(
            TopicPartition partition, String key, byte[] value) {
        return new ProducerRecord<>(
                partition.topic(),
                partition.partition(),
                key.getBytes(StandardCharsets.UTF_8),
                value);
    }

    private synchronized Producer<byte[], byte[]> producer() {
        if (producer == null) {
            producer = clients.notes();
        }
        return producer;
    }

    @Override
    public synchronized void close() {
        try {
            if (producer != null) {
                producer.close(Clients.LEAVE);
            }
        } catch (KafkaException e) {
            // Whoever needed to know has waited for the acknowledgement.
        }
    }
}

package trapline.journal.kafka;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import trapline.journal.ExitTail;
import trapline.journal.JournalException;
import trapline.schemas.ExitObserved;
import trapline.schemas.ExitStatistics;
import trapline.schemas.Frame;
import trapline.schemas.InterceptionObserved;
import trapline.schemas.ViolationObserved;
import trapline.schemas.WireException;

/// Reads the derived topics on from some time, of all sessions or of one.
final class KafkaExitTail implements ExitTail {

    private final KafkaLog log;
    private final Consumer<ByteBuffer, ByteBuffer> consumer;
    private final byte[] only;
    private final Frame<ExitObserved> exits;
    private final Frame<ExitStatistics> statistics;
    private final Frame<ViolationObserved> violations;
    private final Frame<InterceptionObserved> interceptions;

    /// Where each partition ended when this began, or was marked, as far as that was not reached yet.
    private final Map<TopicPartition, Long> past = new HashMap<>();

    KafkaExitTail(KafkaLog log, Instant since, Optional<String> session) {
        this.log = log;
        consumer = log.clients().tail();
        only = session.map(Recording::key).orElse(null);
        exits = log.frame(ExitObserved.CODEC);
        statistics = log.frame(ExitStatistics.CODEC);
        violations = log.frame(ViolationObserved.CODEC);
        interceptions = log.frame(InterceptionObserved.CODEC);
        try {
            begin(since.toEpochMilli(), session);
        } catch (KafkaException e) {
            close();
            throw failed(e);
        }
    }

    private void begin(long sinceMillis, Optional<String> session) {
        Set<String> there = log.notes().topics();
        Map<TopicPartition, Long> times = new HashMap<>();
        for (String topic : log.topics().derived()) {
            if (there.contains(topic)) {
                int partitions = consumer.partitionsFor(topic).size();
                for (int partition = 0; partition < partitions; partition++) {
                    if (session.isEmpty()
                            || Recording.partition(session.get(), partitions) == partition) {
                        times.put(new TopicPartition(topic, partition), sinceMillis);
                    }
                }
            }
        }
        consumer.assign(times.keySet());
        Map<TopicPartition, Long> ends = consumer.endOffsets(times.keySet());
        consumer.offsetsForTimes(times)
                .forEach((partition, found) -> {
                    long end = ends.get(partition);
                    long from = found == null ? end : Math.min(found.offset(), end);
                    consumer.seek(partition, from);
                    if (from < end) {
                        past.put(partition, end);
                    }
                });
    }

    @Override
    public Recent poll(Duration patience) {
        Batch batch = new Batch();
        try {
            for (ConsumerRecord<ByteBuffer, ByteBuffer> found : consumer.poll(patience)) {
                if (only == null || isOf(found.key())) {
                    batch.add(found);
                }
            }
        } catch (OffsetOutOfRangeException e) {
            e.offsetOutOfRangePartitions().forEach((partition, at) -> skip(partition, at, batch));
        } catch (KafkaException e) {
            throw failed(e);
        }
        past.entrySet().removeIf(end -> reached(end.getKey(), end.getValue()));
        return batch.recent();
    }

    /// What should come next is gone: too old, or lost with a broker.
    private void skip(TopicPartition partition, long at, Batch batch) {
        try {
            long first = consumer.beginningOffsets(Set.of(partition)).get(partition);
            long end = consumer.endOffsets(Set.of(partition)).get(partition);
            long next = Math.clamp(at, first, end);
            consumer.seek(partition, next);
            batch.skipped(
                    Math.max(1, next - at),
                    "%s@%d: not kept any more; reading goes on at %d"
                            .formatted(partition, at, next));
        } catch (KafkaException e) {
            throw failed(e);
        }
    }

    private boolean reached(TopicPartition partition, long end) {
        try {
            return consumer.position(partition, Duration.ZERO) >= end;
        } catch (KafkaException e) {
            return false; // asked again with the next poll
        }
    }

    @Override
    public void mark() {
        try {
            consumer.endOffsets(consumer.assignment())
                    .forEach((partition, end) -> {
                        if (!reached(partition, end)) {
                            past.put(partition, end);
                        }
                    });
        } catch (KafkaException e) {
            throw failed(e);
        }
    }

    private boolean isOf(ByteBuffer key) {
        if (key == null || key.remaining() != only.length) {
            return false;
        }
        int from = key.arrayOffset() + key.position();
        return Arrays.equals(key.array(), from, from + only.length, only, 0, only.length);
    }

    private final class Batch {

        private final List<ExitObserved> exitsFound = new ArrayList<>();
        private final List<ExitStatistics> statisticsFound = new ArrayList<>();
        private final List<ViolationObserved> violationsFound = new ArrayList<>();
        private final List<InterceptionObserved> interceptionsFound = new ArrayList<>();
        private long unreadable;
        private String firstUnreadable;

        void add(ConsumerRecord<ByteBuffer, ByteBuffer> found) {
            try {
                if (found.value() == null) {
                    throw new WireException(
                            WireException.Kind.DAMAGED, "expected a record, found none");
                }
                String topic = found.topic();
                if (topic.equals(log.topics().exits())) {
                    exitsFound.add(decode(exits, found.value()));
                } else if (topic.equals(log.topics().exitStatistics())) {
                    statisticsFound.add(decode(statistics, found.value()));
                } else if (topic.equals(log.topics().violations())) {
                    violationsFound.add(decode(violations, found.value()));
                } else {
                    interceptionsFound.add(decode(interceptions, found.value()));
                }
            } catch (WireException e) {
                skipped(
                        1,
                        "%s-%d@%d: %s"
                                .formatted(
                                        found.topic(),
                                        found.partition(),
                                        found.offset(),
                                        e.getMessage()));
            }
        }

        void skipped(long records, String why) {
            if (unreadable == 0) {
                firstUnreadable = why;
            }
            unreadable += records;
        }

        Recent recent() {
            return new Recent(
                    exitsFound,
                    statisticsFound,
                    violationsFound,
                    interceptionsFound,
                    unreadable,
                    Optional.ofNullable(firstUnreadable));
        }
    }

    private static <T> T decode(Frame<T> frame, ByteBuffer value) {
        return frame.decode(
                value.array(), value.arrayOffset() + value.position(), value.remaining());
    }

    @Override
    public boolean caughtUp() {
        return past.isEmpty();
    }

    @Override
    public long lagRecords() {
        long lag = 0;
        for (TopicPartition partition : consumer.assignment()) {
            OptionalLong behind = consumer.currentLag(partition);
            lag += behind.orElse(0);
        }
        return lag;
    }

    private JournalException failed(KafkaException e) {
        return KafkaFailure.of(e, log.cluster().location(), "follow its exits");
    }

    @Override
    public void close() {
        try {
            consumer.close(CloseOptions.timeout(Clients.LEAVE));
        } catch (KafkaException e) {
            // Nothing that is read can be lost by this.
        }
    }
}

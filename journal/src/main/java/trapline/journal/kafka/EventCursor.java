package trapline.journal.kafka;

import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import trapline.journal.SessionReader.Place;
import trapline.journal.SessionReader.RecordHandler;

/// Hands a session's events to a handler, and is the place of each in turn.
final class EventCursor implements Place {

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final TopicPartition partition;
    private final RecordHandler handler;
    private long events;
    private long offset;
    private boolean stopped;

    /// @param before how many events stand before the first one to hand over
    /// @param first the offset to begin at
    EventCursor(TopicPartition partition, RecordHandler handler, long before, long first) {
        this.partition = partition;
        this.handler = handler;
        events = before;
        offset = first - 1;
    }

    /// How many events the session has up to here.
    long events() {
        return events;
    }

    /// Whether the handler wants no more.
    boolean isStopped() {
        return stopped;
    }

    /// The offset behind the last event handed over.
    long next() {
        return offset + 1;
    }

    /// Hands over what the stream brings, until the session has so many events.
    void drain(EventStream stream, long total) {
        while (!stopped && events < total) {
            List<ConsumerRecord<Boolean, ByteBuffer>> records = stream.next();
            if (records == null) {
                return;
            }
            drain(records, total);
        }
    }

    private void drain(List<ConsumerRecord<Boolean, ByteBuffer>> records, long total) {
        for (ConsumerRecord<Boolean, ByteBuffer> found : records) {
            if (Boolean.TRUE.equals(found.key())) {
                hand(found);
                if (stopped || events == total) {
                    return;
                }
            }
        }
    }

    private void hand(ConsumerRecord<Boolean, ByteBuffer> found) {
        ByteBuffer value = found.value() == null ? NOTHING : found.value();
        offset = found.offset();
        events++;
        stopped =
                !handler.record(
                        value.array(),
                        value.arrayOffset() + value.position(),
                        value.remaining(),
                        this);
    }

    @Override
    public String describe() {
        return partition + "@" + offset;
    }

    @Override
    public long offset() {
        return offset;
    }
}

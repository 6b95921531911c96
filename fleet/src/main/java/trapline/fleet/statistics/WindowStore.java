package trapline.fleet.statistics;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.internals.CacheFlushListener;
import org.apache.kafka.streams.state.internals.CachedStateStore;
import trapline.schemas.ExitGlance;
import trapline.schemas.ExitWindow;
import trapline.schemas.Frame;

/// The windows of one partition's sessions.
///
/// What is counted is first added up in fresh tallies; Kafka Streams asks for these at each commit,
/// as it does of its own caches, so that windows, outputs and the place in the topic are committed
/// as one.
final class WindowStore implements StateStore, CachedStateStore<Bytes, byte[]> {

    /// How many seconds may be counted ahead of the stored windows: a bound on memory only.
    private static final int MOST_FRESH = 20_000;

    private final KeyValueStore<Bytes, byte[]> stored;
    private final Frame<ExitWindow> frame;
    private final Map<WindowKey, ExitTally> fresh = new HashMap<>();
    private final Recency recency = new Recency();
    private Listener listener = (_, _) -> {};
    private final Slot[] slots = new Slot[64];
    private volatile int partition = -1;

    /// What was counted into last, by vCPU.
    private record Slot(WindowKey key, ExitTally tally) {}

    /// Told of each window that changed, with its record.
    interface Listener {
        void changed(WindowKey key, byte[] record);
    }

    /// @param stored what is kept and logged
    WindowStore(KeyValueStore<Bytes, byte[]> stored, Frame<ExitWindow> frame) {
        this.stored = stored;
        this.frame = frame;
    }

    void listen(Listener changes) {
        listener = changes;
    }

    /// To be called once what was stored earlier is back.
    void remember(long nowMillis) {
        try (KeyValueIterator<Bytes, byte[]> all = stored.all()) {
            List<WindowKey> keys = new ArrayList<>();
            all.forEachRemaining(entry -> keys.add(WindowKey.parse(entry.key)));
            recency.remember(keys, nowMillis);
        }
    }

    void count(ExitGlance exit) {
        long second = exit.recordedMillis() - exit.recordedMillis() % WindowKey.SECOND;
        Slot slot = slots[exit.vcpu() & (slots.length - 1)];
        if (slot == null
                || slot.key.begin() != second
                || slot.key.vcpu() != exit.vcpu()
                || !slot.key.session().equals(exit.session())) {
            slot = slot(WindowKey.at(exit.session(), exit.vcpu(), second, WindowKey.SECOND));
        }
        slot.tally.count(exit);
    }

    private Slot slot(WindowKey key) {
        if (fresh.size() >= MOST_FRESH) {
            flushCache();
        }
        Slot slot = new Slot(key, fresh.computeIfAbsent(key, _ -> new ExitTally()));
        slots[key.vcpu() & (slots.length - 1)] = slot;
        return slot;
    }

    /// Puts what is fresh into the stored windows.
    @Override
    public void flushCache() {
        Map<WindowKey, ExitTally> changed = new HashMap<>();
        fresh.forEach((key, tally) -> {
            for (long size : WindowKey.SIZES) {
                WindowKey window = WindowKey.at(key.session(), key.vcpu(), key.begin(), size);
                changed.computeIfAbsent(window, this::before).add(tally);
            }
        });
        clearCache();
        long now = System.currentTimeMillis();
        changed.forEach((key, tally) -> {
            byte[] record = frame.encode(tally.window(key));
            stored.put(key.bytes(), record);
            recency.touch(key, now);
            listener.changed(key, record);
        });
        forget(now);
    }

    private ExitTally before(WindowKey key) {
        ExitTally tally = new ExitTally();
        byte[] record = stored.get(key.bytes());
        if (record != null) {
            tally.add(frame.decode(record));
        }
        return tally;
    }

    /// Drops windows that nothing has been added to for long.
    void forget(long nowMillis) {
        recency.forget(nowMillis, key -> stored.delete(key.bytes()));
    }

    /// The stored records of a session's windows. May be asked by any thread.
    List<byte[]> of(String session) {
        List<byte[]> records = new ArrayList<>();
        try (KeyValueIterator<Bytes, byte[]> found =
                stored.range(WindowKey.first(session), WindowKey.last(session))) {
            while (found.hasNext()) {
                KeyValue<Bytes, byte[]> entry = found.next();
                if (entry.value != null) {
                    records.add(entry.value);
                }
            }
        }
        return records;
    }

    /// Whose exits it counts. May be asked by any thread.
    int partition() {
        return partition;
    }

    /// How many windows are stored. May be asked by any thread.
    long size() {
        return stored.approximateNumEntries();
    }

    @Override
    public boolean setFlushListener(
            CacheFlushListener<Bytes, byte[]> flushListener, boolean sendOldValues) {
        return false;
    }

    @Override
    public void clearCache() {
        fresh.clear();
        Arrays.fill(slots, null);
    }

    @Override
    public String name() {
        return stored.name();
    }

    @Override
    public void init(StateStoreContext context, StateStore root) {
        partition = context.taskId().partition();
        stored.init(context, root);
    }

    @Override
    public void close() {
        clearCache();
        stored.close();
    }

    @Override
    public boolean persistent() {
        return stored.persistent();
    }

    @Override
    public boolean isOpen() {
        return stored.isOpen();
    }
}

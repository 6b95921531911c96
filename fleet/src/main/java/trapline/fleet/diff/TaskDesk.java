package trapline.fleet.diff;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import trapline.schemas.FleetResult;
import trapline.schemas.FleetRun;
import trapline.schemas.FleetTask;
import trapline.schemas.Frame;
import trapline.schemas.WireException;

/// The tasks of one partition.
///
/// A task is stored when it is read and deleted with its result's output, in one transaction; in
/// between it runs elsewhere, so that neither polls nor transactions wait for it. Before it runs,
/// the store says that it was started, by which the next owner of the partition knows what it was
/// that the last one died of.
final class TaskDesk implements Processor<byte[], byte[], byte[], byte[]> {

    static final String STORE = "tasks";

    /// A task that ended this many workers is given up.
    private static final int MOST_STARTS = 2;

    /// How long a suspect waits for the word that it was only handed over, which is in the topic by now.
    private static final Duration WORD = Duration.ofSeconds(3);

    private static final Duration ROUND = Duration.ofMillis(50);

    private final Evaluator evaluator;
    private final Pool pool;
    private final Returns returns;
    private final FleetCounters counters;
    private final Frame<FleetRun> runs;
    private final Frame<FleetTask> tasks;
    private final Frame<FleetResult> results;
    private final Map<String, Under> waiting = new LinkedHashMap<>();
    private final Deque<Under> started = new ArrayDeque<>();
    private final Map<String, Under> running = new LinkedHashMap<>();
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<Bytes, byte[]> store;
    private boolean suspectWaits;
    private long heard;

    /// How a partition's next owner is told that tasks were left, not died of.
    interface Returns {
        void giveBack(int partition, List<FleetTask> tasks);
    }

    TaskDesk(
            Evaluator evaluator,
            Pool pool,
            Returns returns,
            FleetCounters counters,
            Frames frames) {
        this.evaluator = evaluator;
        this.pool = pool;
        this.returns = returns;
        this.counters = counters;
        runs = frames.runs();
        tasks = frames.tasks();
        results = frames.results();
    }

    /// The frames of one desk.
    record Frames(Frame<FleetRun> runs, Frame<FleetTask> tasks, Frame<FleetResult> results) {}

    /// A task on its way.
    private static final class Under {
        private FleetTask task;
        private boolean suspect;
        private volatile boolean wanted = true;
        private volatile FleetResult result;
        private Future<?> future;

        Under(FleetTask task) {
            this.task = task;
        }

        String key() {
            return FleetKeys.of(task.run(), task.session());
        }
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> given) {
        context = given;
        store = given.getStateStore(STORE);
        try (KeyValueIterator<Bytes, byte[]> all = store.all()) {
            while (all.hasNext()) {
                KeyValue<Bytes, byte[]> entry = all.next();
                String key = FleetKeys.text(entry.key.get());
                if (FleetKeys.isTask(key)) {
                    waiting.put(key, new Under(tasks.decode(entry.value)));
                }
            }
        }
        heard = System.nanoTime() + WORD.toNanos();
        given.schedule(ROUND, PunctuationType.WALL_CLOCK_TIME, _ -> round());
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        if (record.key() == null || record.value() == null) {
            counters.skip();
            return;
        }
        String key = FleetKeys.text(record.key());
        try {
            if (!FleetKeys.isTask(key)) {
                runs.decode(record.value());
                store.put(Bytes.wrap(record.key()), record.value());
            } else {
                accept(key, tasks.decode(record.value()));
            }
        } catch (WireException e) {
            counters.skip();
            damaged(key, e);
        }
    }

    /// Nobody is to wait for what cannot be read; a task that is known comes to its own end.
    private void damaged(String key, WireException why) {
        if (FleetKeys.isTask(key)
                && store.get(FleetKeys.bytes(key)) == null
                && store.get(FleetKeys.bytes(FleetKeys.run(key))) != null) {
            FleetTask task = new FleetTask(FleetKeys.run(key), FleetKeys.session(key), 0, 0);
            end(
                    new Under(task),
                    SessionDiff.failed(
                            task,
                            "its task in the log is damaged: " + why.getMessage(),
                            System.currentTimeMillis()));
        }
    }

    private void accept(String key, FleetTask task) {
        Under known = known(key);
        if (task.starts() >= 0 && store.get(FleetKeys.bytes(key)) == null) {
            store.put(FleetKeys.bytes(key), tasks.encode(task));
            waiting.put(key, new Under(task));
        } else if (task.starts() < 0 && known != null) {
            known.task = known.task.startedTimes(Math.max(0, known.task.starts() - 1));
            store.put(FleetKeys.bytes(key), tasks.encode(known.task));
        }
    }

    private Under known(String key) {
        Under under = waiting.getOrDefault(key, running.get(key));
        return under != null
                ? under
                : started.stream().filter(one -> one.key().equals(key)).findFirst().orElse(null);
    }

    /// Streams commits what one round asked for before it comes to the next.
    private void round() {
        boolean changed = finish();
        run();
        changed |= begin();
        if (changed) {
            context.commit();
        }
    }

    private boolean finish() {
        List<Under> finished =
                running.values().stream().filter(under -> under.result != null).toList();
        for (Under under : finished) {
            running.remove(under.key());
            pool.giveBack(under.suspect);
            counters.ran(-1);
            end(under, under.result);
        }
        return !finished.isEmpty();
    }

    private void end(Under under, FleetResult result) {
        context.forward(
                new Record<>(
                        FleetKeys.bytes(under.key()).get(),
                        results.encode(result),
                        result.endedMillis()));
        store.delete(FleetKeys.bytes(under.key()));
        forgetRun(under.task.run());
        counters.ended(result.state());
    }

    /// A run is kept for as long as it has tasks here.
    private void forgetRun(String name) {
        Bytes key = FleetKeys.bytes(name);
        byte[] record = store.get(key);
        if (record != null) {
            FleetRun run = runs.decode(record);
            if (run.tasks() <= 1) {
                store.delete(key);
            } else {
                store.put(key, runs.encode(run.withTasks(run.tasks() - 1)));
            }
        }
    }

    /// Those that were committed as started.
    private void run() {
        while (!started.isEmpty()) {
            Under under = started.removeFirst();
            byte[] record = store.get(FleetKeys.bytes(under.task.run()));
            running.put(under.key(), under);
            counters.ran(1);
            if (record == null) {
                under.result =
                        SessionDiff.failed(
                                under.task,
                                "the run it belongs to is not in the log any more",
                                System.currentTimeMillis());
            } else {
                FleetRun run = runs.decode(record);
                under.future = pool.run(() -> evaluate(run, under));
            }
        }
    }

    private void evaluate(FleetRun run, Under under) {
        try {
            under.result = evaluator.evaluate(run, under.task, () -> under.wanted);
        } catch (Evaluator.NotWanted e) {
            // Whoever has the partition now does it again.
        } catch (RuntimeException | Error e) {
            under.result =
                    SessionDiff.failed(
                            under.task, "internal error: " + e, System.currentTimeMillis());
        }
    }

    private boolean begin() {
        boolean changed = false;
        Iterator<Under> next = new ArrayList<>(waiting.values()).iterator();
        while (next.hasNext()) {
            Under under = next.next();
            if (under.task.starts() > 0 && System.nanoTime() - heard < 0) {
                continue;
            }
            if (under.task.starts() >= MOST_STARTS) {
                waiting.remove(under.key());
                end(under, SessionDiff.failed(under.task, givenUp(), System.currentTimeMillis()));
                changed = true;
                continue;
            }
            under.suspect = under.task.starts() > 0;
            if (!pool.take(under.suspect)) {
                waitWith(under.suspect);
                return changed;
            }
            if (under.suspect) {
                waitWith(false);
            }
            waiting.remove(under.key());
            under.task = under.task.startedTimes(under.task.starts() + 1);
            store.put(FleetKeys.bytes(under.key()), tasks.encode(under.task));
            started.add(under);
            changed = true;
        }
        return changed;
    }

    private static String givenUp() {
        return "given up: %d workers ended while they evaluated it".formatted(MOST_STARTS);
    }

    private void waitWith(boolean suspect) {
        if (suspect && !suspectWaits) {
            pool.suspectWaits();
        } else if (!suspect && suspectWaits) {
            pool.suspectWaitsNoMore();
        }
        suspectWaits = suspect;
    }

    /// Leaves what is under way to the next owner.
    @Override
    public void close() {
        waitWith(false);
        for (Under under : running.values()) {
            under.wanted = false;
            if (under.future != null) {
                under.future.cancel(true);
            }
            counters.ran(-1);
        }
        List<Under> left = new ArrayList<>(running.values());
        left.addAll(started);
        left.forEach(under -> pool.giveBack(under.suspect));
        returns.giveBack(
                context.taskId().partition(), left.stream().map(under -> under.task).toList());
        running.clear();
        started.clear();
        waiting.clear();
    }
}

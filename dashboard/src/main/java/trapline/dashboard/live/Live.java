package trapline.dashboard.live;

import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import trapline.journal.ExitTail;
import trapline.journal.ExitTail.Recent;
import trapline.journal.Journal;
import trapline.journal.JournalException;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;

/// The log's exits, counted as they come, for any number of viewers.
///
/// One thread reads and counts. A viewer is told what is newer than what it has, whenever it asks: who asks
/// seldom gets larger steps, and keeps nobody waiting.
public final class Live implements AutoCloseable {

    /// What changes is told so often at most.
    public static final long BEAT_MILLIS = 200;

    /// Of one viewer's frame; the rest comes with the next.
    private static final int MOST_WINDOWS = 1_000;

    private static final long LEAST_HISTORY = Duration.ofMinutes(15).toMillis();
    private static final long MOST_HISTORY = Duration.ofDays(1).toMillis();
    private static final Duration CLOCKS_DIFFER = Duration.ofSeconds(10);
    private static final long SECOND = 1_000;

    private final Journal journal;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition published = lock.newCondition();
    private final SharedFrames shared = new SharedFrames();
    private final Thread tailing = new Thread(this::tail, "trapline-live");
    private final Thread asking = new Thread(this::ask, "trapline-catalogue");
    private LiveStatistics statistics = new LiveStatistics(0);
    private long told;
    private boolean dirty;
    private long lastBeat;
    private long lagRecords;
    private boolean caughtUp;
    private long unreadable;
    private Optional<String> firstUnreadable = Optional.empty();
    private long brokerErrors;
    private Optional<String> trouble = Optional.empty();

    /// Why a thread ended before its time; stays.
    private Optional<String> stopped = Optional.empty();

    private volatile boolean started;
    private volatile boolean closed;

    public Live(Journal journal) {
        this.journal = journal;
        tailing.setDaemon(true);
        asking.setDaemon(true);
    }

    /// Not for a log that keeps no exits: that is only asked for its sessions, whenever somebody scrapes.
    public void start() {
        started = true;
        tailing.start();
    }

    // The thread that reads.

    private void tail() {
        while (!closed) {
            try {
                List<CatalogueEntry> entries = journal.sessions();
                long since = since(entries);
                locked(() -> {
                    statistics = new LiveStatistics(since);
                    statistics.catalogue(entries, now());
                });
                try (ExitTail tail =
                        journal.exits(Instant.ofEpochMilli(since).minus(CLOCKS_DIFFER))) {
                    asking.start();
                    follow(tail);
                }
                return;
            } catch (JournalException e) {
                troubled(e);
            } catch (RuntimeException | Error e) {
                stop("exits are not counted any more", e);
                return;
            }
        }
    }

    /// From the oldest open session on, and what was recorded just now; a day at most.
    private static long since(List<CatalogueEntry> entries) {
        long now = now();
        long oldest = now - LEAST_HISTORY;
        for (CatalogueEntry entry : entries) {
            if (entry.status() == Status.OPEN) {
                oldest = Math.min(oldest, entry.header().createdMillis());
            }
        }
        return Math.max(oldest, now - MOST_HISTORY);
    }

    private void follow(ExitTail tail) {
        long aged = now();
        while (!closed) {
            Recent recent = Recent.NOTHING;
            try {
                recent = tail.poll(Duration.ofMillis(untilBeat()));
            } catch (JournalException e) {
                troubled(e);
            }
            long now = now();
            boolean old = now - aged >= SECOND;
            aged = old ? now : aged;
            count(tail, recent, old);
        }
    }

    private long untilBeat() {
        lock.lock();
        try {
            return dirty ? Math.clamp(lastBeat + BEAT_MILLIS - now(), 1, BEAT_MILLIS) : BEAT_MILLIS;
        } finally {
            lock.unlock();
        }
    }

    private void count(ExitTail tail, Recent recent, boolean old) {
        lock.lock();
        try {
            long now = now();
            dirty |= statistics.add(recent, now);
            if (old) {
                statistics.age(now);
            }
            boolean caught = tail.caughtUp();
            dirty |= caught != caughtUp || recent.unreadable() > 0;
            caughtUp = caught;
            lagRecords = tail.lagRecords();
            unreadable += recent.unreadable();
            firstUnreadable = firstUnreadable.or(recent::firstUnreadable);
            beat(now);
        } finally {
            lock.unlock();
        }
    }

    private void beat(long now) {
        if (now - lastBeat < BEAT_MILLIS) {
            return;
        }
        shared.clear();
        if (dirty) {
            dirty = false;
            lastBeat = now;
            told = statistics.version();
            published.signalAll();
        }
    }

    // The thread that asks the catalogue.

    private void ask() {
        while (!closed) {
            try {
                Thread.sleep(asked(journal.sessions()) ? BEAT_MILLIS : SECOND);
            } catch (JournalException e) {
                troubled(e);
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException | Error e) {
                stop("the catalogue is not asked any more", e);
                return;
            }
        }
    }

    /// Whether to ask again soon.
    private boolean asked(List<CatalogueEntry> entries) {
        lock.lock();
        try {
            dirty |= statistics.catalogue(entries, now());
            trouble = Optional.empty();
            shared.clear();
            return statistics.hasStrangers();
        } finally {
            lock.unlock();
        }
    }

    private void stop(String what, Throwable why) {
        locked(() -> stopped = stopped.or(() -> Optional.of(what + ": " + why)));
    }

    private void troubled(JournalException e) {
        locked(() -> {
            brokerErrors++;
            dirty = true;
            trouble = Optional.of(e.getMessage());
        });
        try {
            Thread.sleep(SECOND);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    private void locked(Runnable work) {
        lock.lock();
        try {
            work.run();
        } finally {
            lock.unlock();
        }
    }

    private static long now() {
        return System.currentTimeMillis();
    }

    // The threads of viewers.

    /// Waits until there is news for who has so much, at most so long.
    public void await(Progress progress, Duration most) throws InterruptedException {
        long left = most.toNanos();
        lock.lock();
        try {
            while (told <= progress.version() && !progress.hasRest() && left > 0 && !closed) {
                left = published.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    /// What a viewer has to be told next.
    ///
    /// @param session whose windows it wants, if any
    /// @param seam when it came
    public Frame frame(Optional<String> session, Progress progress, long seam) {
        if (session.isPresent() && !shows(session.get())) {
            Frame without = frame(Optional.empty(), progress, seam);
            if (!shows(session.get())) {
                return without;
            }
        }
        return shared.of(session, progress, () -> collect(session, progress)).frame(seam);
    }

    private boolean shows(String session) {
        lock.lock();
        try {
            return statistics.session(session) != null;
        } finally {
            lock.unlock();
        }
    }

    private Collected collect(Optional<String> name, Progress progress) {
        lock.lock();
        try {
            long version = statistics.version();
            Map<String, Object> head = new LinkedHashMap<>();
            head.put("type", progress.equals(Progress.NONE) ? "history" : "delta");
            head.put("version", version);
            long now = now();
            head.put("now", now);
            head.put("lag", lag(now));
            head.put("brokerErrors", brokerErrors);
            head.put("unreadable", unreadable);
            head.put("caughtUp", caughtUp);
            head.put("sessionsLeftOut", statistics.leftOut().sessions());
            head.put("exitsLeftOut", statistics.leftOut().exits());
            List<String> sessions = statistics.changed(progress.version());
            LiveSession session = name.map(statistics::session).orElse(null);
            if (session == null) {
                return Collected.of(head, sessions, new Progress(version, Long.MIN_VALUE, version));
            }
            Progress.Step step = progress.next(session.windows(), version, MOST_WINDOWS);
            return new Collected(
                    head,
                    sessions,
                    session.name(),
                    session.subjects(),
                    step.windows(),
                    step.after());
        } finally {
            lock.unlock();
        }
    }

    private Map<String, Object> lag(long now) {
        Map<String, Object> lag = new LinkedHashMap<>();
        lag.put("records", lagRecords);
        lag.put("millis", lagRecords == 0 ? 0 : Math.max(0, now - statistics.newest()));
        return lag;
    }

    /// A stretch of time of one session; empty if that is not shown.
    public Optional<Map<String, Object>> range(String name, long from, long to) {
        List<Window> windows;
        Subjects subjects;
        Map<String, Object> timeHead;
        lock.lock();
        try {
            LiveSession session = statistics.session(name);
            if (session == null) {
                return Optional.empty();
            }
            windows = session.windows().within(from, to);
            subjects = session.subjects();
            timeHead = session.timeHead();
        } finally {
            lock.unlock();
        }
        return Optional.of(new Range(windows).tree(subjects, timeHead, from, to));
    }

    /// The same figures for who scrapes them.
    public MetricSnapshots metrics() {
        List<MetricSnapshot> all = new ArrayList<>();
        Optional<Figures> asked =
                started ? Optional.empty() : Optional.of(Figures.of(journal.sessions()));
        Figures figures;
        boolean whole;
        lock.lock();
        try {
            figures = asked.orElseGet(statistics::figures);
            whole = caughtUp;
            all.addAll(upkeep());
        } finally {
            lock.unlock();
        }
        all.addAll(LiveMetrics.of(figures, whole, now()));
        all.addAll(ProcessMetrics.now());
        return new MetricSnapshots(all);
    }

    private List<MetricSnapshot> upkeep() {
        return List.of(
                LiveMetrics.gaugeOf(
                        "trapline_tail_lag_records",
                        "Records of exits, violations and interception that are there and not counted yet.",
                        (double) lagRecords),
                LiveMetrics.counterOf(
                        "trapline_broker_errors",
                        "How often the log did not answer.",
                        (double) brokerErrors),
                LiveMetrics.counterOf(
                        "trapline_unreadable_records",
                        "Records that were skipped because they cannot be read.",
                        (double) unreadable));
    }

    /// What is wrong, if anything is.
    public Optional<String> trouble() {
        lock.lock();
        try {
            return stopped.or(() -> trouble);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        closed = true;
        locked(published::signalAll);
        asking.interrupt();
        try {
            tailing.join(5 * SECOND);
            asking.join(5 * SECOND);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

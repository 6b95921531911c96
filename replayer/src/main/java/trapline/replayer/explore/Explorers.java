package trapline.replayer.explore;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import trapline.journal.Journal;
import trapline.replayer.Session;

/// The sessions of a log that are looked at, kept open while somebody does.
public final class Explorers implements AutoCloseable {

    private static final int KEPT = 4;
    private static final Duration IDLE = Duration.ofMinutes(1);
    private static final int LOOKS_WHILE_IDLE = 4;

    private final Journal journal;
    private final long idleNanos;
    private final AtomicInteger asking = new AtomicInteger();
    private final Map<String, Used> open = new LinkedHashMap<>(KEPT, 1, true);
    private final ScheduledExecutorService timer =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("trapline-idle").factory());

    public Explorers(Journal journal) {
        this(journal, IDLE);
    }

    /// @param idle how long a session about which nobody asks is kept, and read in the background
    public Explorers(Journal journal, Duration idle) {
        this.journal = journal;
        idleNanos = idle.toNanos();
        long every = Math.max(1, idleNanos / LOOKS_WHILE_IDLE);
        var _ = timer.scheduleWithFixedDelay(this::look, every, every, TimeUnit.NANOSECONDS);
    }

    private static final class Used {
        private final Explorer explorer;
        private int users;

        Used(Explorer explorer) {
            this.explorer = explorer;
        }
    }

    /// Asks about the session whose name begins so.
    public <T> T ask(String name, Function<Explorer, T> question) {
        Used used = take(name);
        try {
            return question.apply(used.explorer);
        } finally {
            release(used);
        }
    }

    private Used take(String name) {
        synchronized (open) {
            Used known = open.get(name);
            if (known != null) {
                known.users++;
                return known;
            }
        }
        Session session = Session.open(journal, name);
        Used mine = new Used(new Explorer(journal, session, asking));
        Used used;
        synchronized (open) {
            used = open.computeIfAbsent(session.name(), _ -> mine);
            used.users++;
        }
        if (!used.equals(mine)) {
            mine.explorer.close();
        }
        return used;
    }

    private void release(Used used) {
        synchronized (open) {
            used.users--;
        }
        closeUnused();
    }

    /// A log that fails now fails those who ask as well, and they are told; the timer goes on.
    private void look() {
        try {
            closeUnused();
        } catch (RuntimeException e) {
            // as said above
        }
    }

    private void closeUnused() {
        List<Explorer> unused = new ArrayList<>();
        synchronized (open) {
            int over = open.size() - KEPT;
            for (Iterator<Used> all = open.values().iterator(); all.hasNext(); ) {
                Used each = all.next();
                boolean idle = each.explorer.idleNanos() > idleNanos;
                if (each.users == 0 && (over > 0 || idle)) {
                    all.remove();
                    unused.add(each.explorer);
                    over--;
                }
            }
        }
        unused.forEach(Explorer::close);
    }

    /// Nobody may ask any more.
    @Override
    public void close() {
        timer.shutdownNow();
        synchronized (open) {
            open.values().forEach(each -> each.explorer.close());
            open.clear();
        }
    }
}

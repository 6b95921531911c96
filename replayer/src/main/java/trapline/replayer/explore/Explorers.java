package trapline.replayer.explore;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import trapline.journal.Journal;
import trapline.replayer.Session;

/// The sessions of a log that are looked at, kept open while somebody does.
public final class Explorers implements AutoCloseable {

    private static final int KEPT = 4;
    private static final long IDLE_NANOS = 120_000_000_000L;

    private final Journal journal;
    private final AtomicInteger asking = new AtomicInteger();
    private final Map<String, Used> open = new LinkedHashMap<>(KEPT, 1, true);

    public Explorers(Journal journal) {
        this.journal = journal;
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
        List<Explorer> unused = new ArrayList<>();
        synchronized (open) {
            used.users--;
            int over = open.size() - KEPT;
            for (Iterator<Used> all = open.values().iterator(); all.hasNext(); ) {
                Used each = all.next();
                boolean idle = each.explorer.idleNanos() > IDLE_NANOS;
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
        synchronized (open) {
            open.values().forEach(each -> each.explorer.close());
            open.clear();
        }
    }
}

package trapline.dashboard.live;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import trapline.dashboard.live.Figures.LeftOut;
import trapline.journal.ExitTail.Recent;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;
import trapline.schemas.ExitObserved;
import trapline.schemas.InterceptionObserved;
import trapline.schemas.ViolationObserved;

/// Every session's statistics, and how new each is: what changes has the version of that moment.
///
/// Used by one thread at a time.
final class LiveStatistics {

    private static final int MOST_SESSIONS = 100;
    private static final int MOST_IGNORED = 100_000;
    private static final long MOST_WINDOW_BYTES = 48L << 20;

    /// Those that have ended go first.
    private static final Comparator<LiveSession> OLDEST_FIRST =
            Comparator.<LiveSession, Boolean>comparing(session -> session.about().open())
                    .thenComparingLong(session -> session.about().created());

    private final long sinceMillis;
    private final Map<String, LiveSession> sessions = new HashMap<>();
    private final Set<String> ignored = new LinkedHashSet<>();
    private Map<String, CatalogueEntry> known = Map.of();
    private LiveSession last;
    private long version;
    private long newest;
    private int halvings;
    private boolean strangers;
    private long sessionsLeftOut;
    private long exitsLeftOut;
    private long violationsLeftOut;

    /// @param sinceMillis from when on exits come
    LiveStatistics(long sinceMillis) {
        this.sinceMillis = sinceMillis;
    }

    /// @return whether anything changed
    boolean add(Recent recent, long now) {
        if (recent.exits().isEmpty()
                && recent.violations().isEmpty()
                && recent.interceptions().isEmpty()) {
            return false;
        }
        version++;
        for (ExitObserved exit : recent.exits()) {
            newest = exit.recordedMillis();
            LiveSession session = session(exit.session(), now);
            if (session != null) {
                session.add(exit, version);
            } else {
                exitsLeftOut++;
            }
        }
        for (ViolationObserved violation : recent.violations()) {
            LiveSession session = session(violation.session(), now);
            if (session != null) {
                session.add(violation, version);
            } else {
                violationsLeftOut += violation.times();
            }
        }
        for (InterceptionObserved change : recent.interceptions()) {
            LiveSession session = session(change.session(), now);
            if (session != null) {
                session.add(change, version);
            }
        }
        return true;
    }

    /// Null for one that is not shown.
    private LiveSession session(String name, long now) {
        if (last != null && last.name().equals(name)) {
            return last;
        }
        LiveSession found = sessions.get(name);
        if (found == null && !ignored.contains(name)) {
            found = begin(name, known.get(name), now);
        }
        if (found != null) {
            last = found;
        }
        return found;
    }

    /// One that ended before exits come from would be shown without its beginning, and is not.
    private LiveSession begin(String name, CatalogueEntry entry, long now) {
        strangers |= entry == null;
        About about = entry == null ? About.unknown(now) : About.of(entry);
        boolean complete = about.created() >= sinceMillis;
        if (!complete && !about.open()) {
            ignore(name);
            return null;
        }
        sessions.put(name, new LiveSession(name, about, complete, new Windows(now, halvings)));
        if (sessions.size() > MOST_SESSIONS) {
            forget(sessions.values().stream().min(OLDEST_FIRST).orElseThrow());
        }
        return sessions.get(name);
    }

    private void forget(LiveSession old) {
        sessions.remove(old.name());
        ignore(old.name());
        last = null;
    }

    private void ignore(String name) {
        if (ignored.size() >= MOST_IGNORED) {
            ignored.remove(ignored.iterator().next());
        }
        sessionsLeftOut += ignored.add(name) ? 1 : 0;
    }

    /// Takes in what the catalogue says now, of which heartbeats alone are no news to viewers.
    ///
    /// @return whether anything changed
    boolean catalogue(List<CatalogueEntry> entries, long now) {
        Map<String, CatalogueEntry> next = new HashMap<>();
        boolean changed = false;
        strangers = false;
        for (CatalogueEntry entry : entries) {
            String name = entry.header().session();
            next.put(name, entry);
            LiveSession session = sessions.get(name);
            if (session != null) {
                session.about(About.of(entry), version + 1);
            } else if (entry.status() == Status.OPEN && !ignored.contains(name)) {
                session = begin(name, entry, now);
                if (session != null) {
                    session.touch(version + 1);
                }
            }
            changed |= session != null && session.version() > version;
        }
        known = next;
        version += changed ? 1 : 0;
        return changed;
    }

    /// Whether a session tells of its exits that the catalogue did not have when it was last asked.
    boolean hasStrangers() {
        return strangers;
    }

    /// To be called about once a second.
    ///
    /// @return whether anything changed
    boolean age(long now) {
        long bytes = 0;
        for (LiveSession session : sessions.values()) {
            session.windows().age(now, halvings, version + 1);
            bytes += session.windows().bytes();
        }
        if (bytes > MOST_WINDOW_BYTES && halvings < Windows.MOST_HALVINGS) {
            halvings++;
        } else if (bytes > MOST_WINDOW_BYTES && sessions.size() > 1) {
            forget(sessions.values().stream().min(OLDEST_FIRST).orElseThrow());
        } else if (bytes < MOST_WINDOW_BYTES / 4 && halvings > 0) {
            halvings--;
        }
        version++;
        return true;
    }

    long version() {
        return version;
    }

    /// When the exit that was counted last was recorded.
    long newest() {
        return newest;
    }

    Figures figures() {
        return new Figures(
                sessions.values().stream().map(LiveSession::figures).toList(),
                leftOut(),
                known.values());
    }

    /// Sessions that were forgotten or never shown, and what came of them since.
    LeftOut leftOut() {
        return new LeftOut(sessionsLeftOut, exitsLeftOut, violationsLeftOut);
    }

    LiveSession session(String name) {
        return sessions.get(name);
    }

    /// The sessions that changed after a version, newest first, as viewers are told them.
    List<String> changed(long since) {
        List<LiveSession> changed = new ArrayList<>();
        for (LiveSession session : sessions.values()) {
            if (session.version() > since) {
                changed.add(session);
            }
        }
        changed.sort(
                Comparator.comparingLong((LiveSession session) -> -session.about().created())
                        .thenComparing(LiveSession::name));
        return changed.stream().map(LiveSession::text).toList();
    }
}

package trapline.dashboard.live;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import trapline.dashboard.live.Figures.LeftOut;
import trapline.schemas.CatalogueEntry;
import trapline.schemas.CatalogueEntry.Status;

/// Which sessions are shown, and what is said of the others.
class LiveStatisticsTest {

    private static final long NOW = 1_000_000;

    private final LiveStatistics statistics = new LiveStatistics(1_000);

    /// 101 open sessions: the first one goes. Of its two exits afterwards the count is kept.
    @Test
    void oldestOf101IsForgotten() {
        List<CatalogueEntry> entries = open(100);
        statistics.catalogue(entries, NOW);
        assertEquals(new LeftOut(0, 0, 0), statistics.leftOut());
        entries.add(Exits.entry("s100", 1_100, Status.OPEN));
        statistics.catalogue(entries, NOW);
        count("s0", 2);
        count("s100", 3);
        assertNull(statistics.session("s0"));
        assertNotNull(statistics.session("s1"));
        assertEquals(new LeftOut(1, 2, 0), statistics.leftOut());
        assertTrue(text("s100").contains("\"totals\":{\"exits\":3,"), text("s100"));
    }

    /// One that has ended goes before an older one that is open.
    @Test
    void endedOneGoesFirst() {
        List<CatalogueEntry> entries = open(100);
        statistics.catalogue(entries, NOW);
        entries.set(50, Exits.entry("s50", 1_050, Status.CLOSED));
        entries.add(Exits.entry("s100", 1_100, Status.OPEN));
        statistics.catalogue(entries, NOW);
        assertNull(statistics.session("s50"));
        assertNotNull(statistics.session("s0"));
    }

    /// Exits come from 1,000 on: what began at 999 is not whole, and is not shown if it has ended as well.
    @Test
    void whatBeganBeforeHistoryIsNotComplete() {
        statistics.catalogue(
                List.of(
                        Exits.entry("whole", 1_000, Status.OPEN),
                        Exits.entry("part", 999, Status.OPEN),
                        Exits.entry("ended", 999, Status.CLOSED)),
                NOW);
        count("ended", 5);
        assertTrue(text("whole").contains("\"complete\":true"));
        assertTrue(text("part").contains("\"complete\":false"));
        assertNull(statistics.session("ended"));
        assertEquals(new LeftOut(1, 5, 0), statistics.leftOut());
    }

    private static List<CatalogueEntry> open(int count) {
        List<CatalogueEntry> entries = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            entries.add(Exits.entry("s" + i, 1_000 + i, Status.OPEN));
        }
        return entries;
    }

    private void count(String session, int exits) {
        for (int i = 1; i <= exits; i++) {
            statistics.add(Exits.recent(List.of(Exits.exit(session, i, NOW))), NOW);
        }
    }

    private String text(String session) {
        return statistics.session(session).text();
    }
}

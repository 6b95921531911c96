package trapline.fleet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import trapline.schemas.ExitObserved.Reason;
import trapline.schemas.ExitWindow;

/// Workers die while they count, and the totals are those of a plain count.
class StatisticsKillTest {

    private static final int EXITS = 240_000;
    private static final int SESSIONS = 7;
    private static final long T = 1_700_000_040_000L;
    private static final Reason[] REASONS = {
        ExitLog.reason(32, "MSR_WRITE"), ExitLog.reason(10, "CPUID"), ExitLog.reason(12, "HLT")
    };

    @TempDir Path folder;
    private ExitLog log;

    /// What a reader of the topic counts who does nothing else: exits by window, and by reason.
    private final Map<String, Long> plain = new TreeMap<>();

    @BeforeEach
    void start() {
        log = new ExitLog(folder.resolve("log"));
    }

    @AfterEach
    void stop() {
        log.close();
    }

    private WorkerProcess worker() throws Exception {
        return WorkerProcess.start(log.name(), 1, 0, "");
    }

    /// A minute and a half of exits of all sessions, in turn.
    private void write(int from, int to, Random random) {
        for (int i = from; i < to; i++) {
            String session = "s" + i % SESSIONS;
            int vcpu = random.nextInt(2);
            long millis = T + 90_000L * i / EXITS;
            Reason reason = REASONS[random.nextInt(REASONS.length)];
            log.write(ExitLog.exit(session, vcpu, i, reason, ExitLog.msr(0x48, true), millis));
            for (long size : new long[] {1_000, 60_000}) {
                String window = session + "|" + vcpu + "|" + millis / size * size + "|" + size;
                plain.merge(window, 1L, Long::sum);
                plain.merge(window + " " + reason.name(), 1L, Long::sum);
            }
        }
        log.flush();
    }

    private Map<String, Long> counted() {
        Map<String, Long> counted = new TreeMap<>();
        log.windows()
                .forEach((key, window) -> {
                    counted.put(key, window.exits());
                    window.byReason()
                            .forEach(row -> counted.put(key + " " + row.reasonName(), row.count()));
                });
        return counted;
    }

    /// Of what is counted otherwise, both numbers.
    private Map<String, String> differences() {
        Map<String, Long> counted = counted();
        Map<String, String> differences = new TreeMap<>();
        plain.forEach((key, count) -> {
            Long found = counted.remove(key);
            if (!count.equals(found)) {
                differences.put(key, count + ", counted " + found);
            }
        });
        counted.forEach((key, found) -> differences.put(key, "0, counted " + found));
        return differences;
    }

    private long minutes() {
        return log.windows().values().stream()
                .filter(window -> window.sizeMillis() == 60_000)
                .mapToLong(ExitWindow::exits)
                .sum();
    }

    @Test
    void totalsAreThoseOfAPlainCount() throws Exception {
        Random random = new Random(5);
        write(0, EXITS / 3, random);
        try (WorkerProcess first = worker()) {
            Await.until(() -> !log.windowsTopicMissing() && minutes() > 0, first::said);
            first.kill();
        }
        write(EXITS / 3, EXITS / 2, random);
        try (WorkerProcess second = worker();
                WorkerProcess third = worker()) {
            long before = minutes();
            Await.until(() -> minutes() > before, second::said);
            write(EXITS / 2, 2 * EXITS / 3, random);
            second.kill();
            write(2 * EXITS / 3, EXITS, random);
            Await.until(() -> differences().isEmpty(), () -> third.said() + differences());
            assertEquals(EXITS, minutes());
            assertEquals(Map.of(), differences());
            assertTrue(third.lives(), third::said);
            assertEquals(1, third.said().lines().count(), third::said);
        }
    }

    /// Both have a share, and who has not a session's windows leads to who has.
    @Test
    void twoShareThePartitions() throws Exception {
        write(0, EXITS / 10, new Random(6));
        try (WorkerProcess first = worker()) {
            first.awaitStart();
            Await.until(() -> answers(first, 200) == SESSIONS, first::said);
            try (WorkerProcess second = worker()) {
                second.awaitStart();
                Await.until(
                        () ->
                                answers(first, 200) > 0
                                        && answers(second, 200) > 0
                                        && answers(first, 200) + answers(second, 200) == SESSIONS
                                        && answers(first, 307) == answers(second, 200),
                        second::said);
            }
        }
    }

    private static long answers(WorkerProcess worker, int status) {
        return IntStream.range(0, SESSIONS)
                .filter(i -> Http.status(worker.said() + "/windows?session=s" + i) == status)
                .count();
    }
}

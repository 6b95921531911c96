package trapline.fleet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import trapline.schemas.ExitObserved.Reason;
import trapline.schemas.ExitObserved.Subject;
import trapline.schemas.ExitStatistics.ReasonCount;
import trapline.schemas.ExitWindow;
import trapline.schemas.ExitWindow.MsrCount;

/// A worker counts exits into windows.
class StatisticsTest {

    private static final Reason MSR_WRITE = ExitLog.reason(32, "MSR_WRITE");
    private static final Reason CPUID = ExitLog.reason(10, "CPUID");
    private static final int SPEC_CTRL = 0x48;

    /// A minute that begins at a whole one.
    private static final long T = 1_700_000_040_000L;

    @TempDir Path folder;
    private ExitLog log;

    @BeforeEach
    void start() {
        log = new ExitLog(folder.resolve("log"));
    }

    @AfterEach
    void stop() {
        log.close();
    }

    private Worker worker() {
        return Worker.start(
                log.journal,
                new Worker.Plan(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1, 0));
    }

    private void write(String session, int vcpu, Reason reason, Subject subject, long millis) {
        log.write(ExitLog.exit(session, vcpu, 1, reason, subject, millis));
    }

    /// Three exits in two seconds of one minute, one of another vCPU, one in the next minute.
    private void writeFive() {
        write("s1", 0, MSR_WRITE, ExitLog.msr(SPEC_CTRL, true), T + 5);
        write("s1", 0, CPUID, Subject.NONE, T + 999);
        write("s1", 0, MSR_WRITE, ExitLog.msr(SPEC_CTRL, true), T + 1000);
        write("s1", 1, MSR_WRITE, ExitLog.msr(0x10, false), T + 1000);
        write("s1", 0, CPUID, Subject.NONE, T + 60_000);
        log.flush();
    }

    private void awaitWindows(int count) throws InterruptedException {
        Await.until(() -> log.windows().size() >= count, log::windows);
    }

    /// All that [#writeFive] wrote is counted: a window is there before it is whole.
    private void awaitFive() throws InterruptedException {
        Await.until(
                () ->
                        log.windows().size() == 7
                                && log.windows().values().stream()
                                                .filter(window -> window.sizeMillis() == 60_000)
                                                .mapToLong(ExitWindow::exits)
                                                .sum()
                                        == 5,
                log::windows);
    }

    private static ExitWindow window(
            int vcpu,
            long begin,
            long size,
            int exits,
            List<ReasonCount> reasons,
            List<MsrCount> msrs) {
        return new ExitWindow(
                "s1", vcpu, begin, size, exits, 0, 2L * exits, 3L * exits, exits, reasons, msrs, 0);
    }

    private static ReasonCount reason(Reason reason, long count) {
        return new ReasonCount(reason.number(), reason.name(), count);
    }

    @Test
    void secondsAndMinutesOfEachVcpu() throws InterruptedException {
        try (Worker worker = worker()) {
            writeFive();
            awaitFive();
            List<MsrCount> once = List.of(new MsrCount(SPEC_CTRL, true, 1));
            List<MsrCount> twice = List.of(new MsrCount(SPEC_CTRL, true, 2));
            List<MsrCount> other = List.of(new MsrCount(0x10, false, 1));
            List<ReasonCount> cpuid = List.of(reason(CPUID, 1));
            List<ReasonCount> write = List.of(reason(MSR_WRITE, 1));
            assertEquals(
                    Map.of(
                            key(0, T, 1000),
                            window(
                                    0,
                                    T,
                                    1000,
                                    2,
                                    List.of(reason(CPUID, 1), reason(MSR_WRITE, 1)),
                                    once),
                            key(0, T + 1000, 1000),
                            window(0, T + 1000, 1000, 1, write, once),
                            key(0, T, 60_000),
                            window(
                                    0,
                                    T,
                                    60_000,
                                    3,
                                    List.of(reason(CPUID, 1), reason(MSR_WRITE, 2)),
                                    twice),
                            key(1, T + 1000, 1000),
                            window(1, T + 1000, 1000, 1, write, other),
                            key(1, T, 60_000),
                            window(1, T, 60_000, 1, write, other),
                            key(0, T + 60_000, 1000),
                            window(0, T + 60_000, 1000, 1, cpuid, List.of()),
                            key(0, T + 60_000, 60_000),
                            window(0, T + 60_000, 60_000, 1, cpuid, List.of())),
                    log.windows());
            assertEquals(5, worker.statistics().orElseThrow().counters().exits());
        }
    }

    private static String key(int vcpu, long begin, long size) {
        return "s1|" + vcpu + "|" + begin + "|" + size;
    }

    /// A worker that comes later goes on with the windows of the one before.
    @Test
    void theNextWorkerGoesOn() throws InterruptedException {
        try (Worker _ = worker()) {
            writeFive();
            awaitFive();
        }
        write("s1", 0, CPUID, Subject.NONE, T + 7);
        log.flush();
        try (Worker worker = worker()) {
            Await.until(
                    () ->
                            log.windows().get(key(0, T, 1000)).exits() == 3
                                    && log.windows().get(key(0, T, 60_000)).exits() == 4,
                    log::windows);
            assertEquals(4, log.windows().get(key(0, T, 60_000)).exits());
            assertEquals(7, log.windows().size());
            assertEquals(1, worker.statistics().orElseThrow().counters().exits());
        }
    }

    @Test
    void whatIsNoExitIsSkippedAndCounted() throws InterruptedException {
        byte[] damaged = log.record(ExitLog.exit("s1", 0, 1, CPUID, Subject.NONE, T));
        damaged[damaged.length - 6] ^= 1;
        try (Worker worker = worker()) {
            log.write("s1", damaged);
            log.write("s1", new byte[] {1, 2, 3});
            log.write("s1", null);
            write("s1", 0, CPUID, Subject.NONE, -1);
            write("s1", 0, CPUID, Subject.NONE, T);
            log.flush();
            awaitWindows(2);
            assertEquals(4, worker.statistics().orElseThrow().counters().unreadable());
            assertEquals(1, log.windows().get(key(0, T, 1000)).exits());
            assertTrue(worker.failure().isEmpty());
        }
    }

    /// A clock that runs hours ahead: the broker refuses records from the future.
    @Test
    void exitsFromTheFutureAreCounted() throws InterruptedException {
        long future = (System.currentTimeMillis() / 60_000 + 60 * 24) * 60_000;
        try (Worker _ = worker()) {
            write("s1", 0, CPUID, Subject.NONE, future);
            log.flush();
            awaitWindows(2);
            assertEquals(
                    Set.of(key(0, future, 1000), key(0, future, 60_000)), log.windows().keySet());
        }
    }

    @Test
    void answersOverHttp() throws Exception {
        try (Worker worker = worker()) {
            writeFive();
            awaitFive();
            JsonNode windows = ask(worker, "/windows?session=s1", 200);
            assertEquals("s1", windows.path("session").textValue());
            assertEquals(7, windows.path("windows").size());
            JsonNode first = windows.path("windows").get(0);
            assertEquals(T, first.path("begin").longValue());
            assertEquals(1000, first.path("millis").intValue());
            assertEquals(2, first.path("exits").intValue());
            assertEquals("CPUID", first.path("byReason").get(0).path("name").textValue());
            assertEquals("0x48", first.path("byMsr").get(0).path("msr").textValue());
            assertEquals("IA32_SPEC_CTRL", first.path("byMsr").get(0).path("name").textValue());
            assertEquals("write", first.path("byMsr").get(0).path("access").textValue());
            assertEquals(0, ask(worker, "/windows?session=none", 200).path("windows").size());
            ask(worker, "/windows", 400);
            ask(worker, "/other", 404);
            assertTrue(ask(worker, "/healthz", 200).path("ok").booleanValue());
            String metrics = text(worker.address().resolve("/metrics"), 200);
            assertTrue(metrics.contains("\ntrapline_worker_exits_total 5\n"), metrics);
        }
    }

    private static JsonNode ask(Worker worker, String path, int status) throws Exception {
        return new ObjectMapper().readTree(text(worker.address().resolve(path), status));
    }

    private static String text(URI uri, int status) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpResponse<String> answer =
                    client.send(
                            HttpRequest.newBuilder(uri).build(),
                            HttpResponse.BodyHandlers.ofString());
            assertEquals(status, answer.statusCode(), answer.body());
            return answer.body();
        }
    }
}

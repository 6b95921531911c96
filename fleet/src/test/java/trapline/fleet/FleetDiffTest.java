package trapline.fleet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import trapline.engine.cost.CostProfile;
import trapline.fleet.diff.Evaluator;
import trapline.fleet.diff.FleetRuns;
import trapline.fleet.diff.FleetRuns.Question;
import trapline.fleet.diff.FleetRuns.Submitted;
import trapline.fleet.diff.FleetTotals;
import trapline.fleet.diff.SessionPattern;
import trapline.replayer.Diff;
import trapline.replayer.DiffResult;
import trapline.replayer.JsonTree;
import trapline.replayer.ResultTree;
import trapline.replayer.Session;
import trapline.schemas.FleetResult;
import trapline.schemas.FleetResult.FleetState;

/// Workers evaluate a policy over many sessions, and die of it.
class FleetDiffTest {

    private static final String CANDIDATE = "kvm-6.1,spec-ctrl=v4";

    @TempDir Path folder;
    private ExitLog log;
    private FleetRuns runs;

    @BeforeEach
    void start() {
        log = new ExitLog(folder.resolve("log"));
        runs = new FleetRuns(log.journal);
    }

    @AfterEach
    void stop() {
        log.close();
    }

    private Submitted submit(String sessions, String candidate) {
        return runs.submit(
                new SessionPattern(sessions),
                new Question(Optional.empty(), Sessions.policy(candidate), Optional.empty()));
    }

    private List<FleetResult> results(Submitted submitted) {
        List<FleetResult> results = new ArrayList<>();
        runs.results(submitted.run(), results::add);
        return results;
    }

    private FleetTotals totals(Submitted submitted) {
        FleetTotals totals = new FleetTotals(submitted.run());
        results(submitted).forEach(totals::add);
        return totals;
    }

    private WorkerProcess worker(String poison) throws Exception {
        return WorkerProcess.start(log.name(), 0, 1, poison);
    }

    /// As `diff` itself does, one by one.
    private Map<String, DiffResult> oneByOne(Submitted submitted) {
        Map<String, DiffResult> results = new TreeMap<>();
        for (String name : submitted.sessions()) {
            try (Session session = Session.open(log.journal, name)) {
                CostProfile costs =
                        CostProfile.find(
                                session.machines().platform().description().costs(),
                                _ -> Optional.empty());
                results.put(
                        name,
                        new Diff(session, session.policy(), Sessions.policy(CANDIDATE))
                                .run(costs, _ -> {}));
            }
        }
        return results;
    }

    @Test
    void theSumsAreThoseOfDiffThoughWorkersDie() throws Exception {
        for (int i = 0; i < 12; i++) {
            Sessions.record(
                    log.journal, 6_000 + 500 * i, i % 2 == 0 ? "Icelake-Server" : "EPYC-Milan");
        }
        Submitted submitted;
        try (WorkerProcess first = worker("")) {
            first.awaitStart();
            submitted = submit("ssbd-*", CANDIDATE);
            assertEquals(12, submitted.sessions().size());
            Await.until(() -> !results(submitted).isEmpty(), first::said);
            first.kill();
        }
        try (WorkerProcess second = worker("");
                WorkerProcess third = worker("")) {
            Await.until(() -> totals(submitted).complete(), () -> second.said() + third.said());
        }
        List<FleetResult> results = results(submitted);
        assertEquals(
                submitted.sessions().stream().sorted().toList(),
                results.stream().map(FleetResult::session).sorted().toList());
        Map<String, DiffResult> expected = oneByOne(submitted);
        FleetTotals totals = totals(submitted);
        assertEquals(0, totals.failed(), () -> totals.failures().toString());
        for (FleetResult result : results) {
            assertEquals(
                    tree(JsonTree.text(ResultTree.of(expected.get(result.session())))),
                    tree(result.document()));
        }
        assertSums(totals, expected.values().stream().toList());
    }

    private static JsonNode tree(String json) throws Exception {
        return new ObjectMapper().readTree(json);
    }

    private static void assertSums(FleetTotals totals, List<DiffResult> expected) {
        assertEquals(
                expected.stream().mapToLong(diff -> diff.base().tally().exits()).sum(),
                totals.base().exits());
        assertEquals(
                expected.stream().mapToLong(diff -> diff.candidate().tally().exits()).sum(),
                totals.candidate().exits());
        double typical =
                expected.stream()
                        .mapToDouble(diff -> diff.candidate().projection().total().typical())
                        .sum();
        assertEquals(typical, totals.candidate().cycles().typical(), 1e-9 * typical);
        assertEquals(
                totals.candidate().exits(),
                totals.candidate().byReason().values().stream().mapToLong(count -> count).sum());
        assertTrue(totals.base().exits() > 0);
        assertEquals(expected.size(), totals.done());
    }

    /// The others come out, and nobody goes on dying.
    @Test
    void aTaskThatEndsItsWorkersIsGivenUp() throws Exception {
        for (int i = 0; i < 5; i++) {
            Sessions.record(log.journal, 20 + i, "Icelake-Server");
        }
        Submitted submitted = submit("*", CANDIDATE);
        String poison = submitted.sessions().get(2);
        int deaths = 0;
        while (!totals(submitted).complete()) {
            assertTrue(deaths < 4, () -> "it goes on killing: " + results(submitted));
            try (WorkerProcess worker = worker(poison)) {
                Await.until(() -> !worker.lives() || totals(submitted).complete(), worker::said);
                deaths += worker.lives() ? 0 : 1;
            }
        }
        FleetTotals totals = totals(submitted);
        assertEquals(2, deaths);
        assertEquals(4, totals.done());
        assertEquals(
                List.of(
                        new FleetTotals.Failed(
                                poison, "given up: 2 workers ended while they evaluated it")),
                totals.failures());
    }

    /// Who leaves in order was not ended by what it evaluated.
    @Test
    void aTaskThatIsHandedOverTwiceIsDone() throws Exception {
        Sessions.record(log.journal, 20, "Icelake-Server");
        Submitted submitted = submit("*", CANDIDATE);
        for (int i = 0; i < 2; i++) {
            CountDownLatch begun = new CountDownLatch(1);
            try (Worker _ = Worker.start(log.journal, diffsOnly(), endless(begun))) {
                assertTrue(begun.await(2, TimeUnit.MINUTES));
            }
        }
        try (Worker worker = Worker.start(log.journal, diffsOnly())) {
            Await.until(() -> totals(submitted).complete(), worker::failure);
        }
        assertEquals(List.of(), totals(submitted).failures());
        assertEquals(1, totals(submitted).done());
    }

    private static Worker.Plan diffsOnly() {
        return new Worker.Plan(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0, 1);
    }

    private static Evaluator endless(CountDownLatch begun) {
        return (_, _, _) -> {
            begun.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            throw new Evaluator.NotWanted();
        };
    }

    @Test
    void whatCannotBeComparedSaysWhy() throws Exception {
        String intel = Sessions.record(log.journal, 20, "Icelake-Server");
        String amd = Sessions.record(log.journal, 20, "EPYC-Turin");
        Submitted submitted = submit("*", "kvm-6.18,eraps=merged");
        try (WorkerProcess worker = worker("")) {
            Await.until(() -> totals(submitted).complete(), worker::said);
        }
        for (FleetResult result : results(submitted)) {
            if (result.session().equals(amd)) {
                assertEquals(FleetState.DONE, result.state(), result::error);
            } else {
                assertEquals(intel, result.session());
                assertEquals(FleetState.FAILED, result.state());
                assertTrue(result.error().contains("eraps=merged"), result::error);
                assertFalse(result.error().contains("internal"), result::error);
            }
        }
    }

    @Test
    void aRunIsFoundAgain() {
        Sessions.record(log.journal, 20, "Icelake-Server");
        Sessions.record(log.journal, 21, "Icelake-Server");
        Submitted all = submit("*", CANDIDATE);
        Submitted one = submit("ssbd-?1", CANDIDATE);
        assertEquals(2, all.sessions().size());
        assertEquals(1, one.sessions().size());
        assertEquals(
                List.of(all.run().run(), one.run().run()),
                runs.runs().stream().map(run -> run.run()).toList());
        assertEquals(2, runs.find(all.run().run()).total());
        assertEquals(0, submit("none", CANDIDATE).sessions().size());
        assertEquals(2, runs.runs().size());
    }
}

package trapline.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// All commands on one session: they count the same events, exits and accesses, each in its own way.
class SessionCommandsTest {

    private static final String ASK = "diff last --candidate kvm-6.1,spec-ctrl=v4";

    @TempDir static Path directory;

    private static JsonNode recorded;

    @BeforeAll
    static void record() {
        Ran ran = on("log", "record --guest ssbd-per-task --format json").expect(ExitCode.DONE);
        assertEquals("recorded: 18,101 events, 6,001 guest ops on 1 vCPU\n", ran.err());
        recorded = ran.json().at("/sessions/0");
    }

    private static Ran on(String log, String line) {
        return Ran.line(line + " --log file:" + directory.resolve(log));
    }

    private static Ran on(String line) {
        return on("log", line);
    }

    private static JsonNode json(String line) {
        return on(line + " --format json").expect(ExitCode.DONE).json();
    }

    private static long sum(JsonNode rows, String key) {
        return StreamSupport.stream(rows.spliterator(), false)
                .mapToLong(row -> row.get(key).longValue())
                .sum();
    }

    private static long count(String where) {
        return Ran.trapline(
                        "events",
                        "last",
                        "--format",
                        "json",
                        "--where",
                        where,
                        "--log",
                        "file:" + directory.resolve("log"))
                .expect(ExitCode.DONE)
                .rows()
                .size();
    }

    @Test
    void sessionsListsWhatRecordSaid() {
        JsonNode listed = json("sessions").at("/sessions/0");
        for (String key : List.of("session", "events", "guestOps", "vcpus", "status")) {
            assertEquals(recorded.get(key), listed.get(key), key);
        }
        assertEquals("closed", listed.get("status").textValue());
        assertEquals("ssbd-per-task", listed.get("guest").textValue());
        assertEquals("kvm-6.1", listed.get("policy").textValue());
    }

    /// 6.1 has no barrier between L2 and L1 on AMD, 6.18 has; who records or replays hears of it.
    @Test
    void recordAndReplayJudgeBySafetyRules() {
        Ran ran =
                on("rules", "record --guest nested-spec-ctrl --cpu EPYC-Rome --format json")
                        .expect(ExitCode.DONE);
        JsonNode violation = ran.json().at("/sessions/0/violations/0");
        assertEquals("ibpb-nested-exit", violation.get("rule").textValue());
        assertTrue(
                ran.err()
                        .contains(
                                "\nsafety rule ibpb-nested-exit broken by vCPU 0 after event %s (op %s), the first of %s times: "
                                        .formatted(
                                                violation.get("order"),
                                                violation.get("op"),
                                                violation.get("count"))),
                ran.err());
        Ran again = on("rules", "replay last --policy kvm-6.1 --format json").expect(ExitCode.DONE);
        assertEquals(ran.json().at("/sessions/0/violations"), again.json().get("violations"));
        Ran kept = on("rules", "replay last --policy kvm-6.18 --format json").expect(ExitCode.DONE);
        assertEquals(0, kept.json().get("violations").size());
        assertEquals("", kept.err());
    }

    @Test
    void sessionsInTextHaveARowEach() {
        List<String> lines = on("sessions").expect(ExitCode.DONE).out().lines().toList();
        assertEquals(2, lines.size());
        String session = recorded.get("session").textValue();
        assertTrue(lines.get(1).startsWith(session), lines.get(1));
        assertTrue(lines.get(1).endsWith("18,101"), lines.get(1));
    }

    @Test
    void stateAtTheEndIsTheOneThatTheRecorderSealed() {
        JsonNode state = json("state last");
        assertEquals(json("sessions").at("/sessions/0/digest"), state.get("digest"));
        assertEquals(recorded.get("events"), state.get("seq"));
        assertEquals("0x1", state.at("/msrs/guest/IA32_SPEC_CTRL").textValue());
    }

    @Test
    void stateBetweenTwoEventsDiffersByWhatThoseWrote() {
        JsonNode write =
                on("events last --format json --type VmcsFieldWritten --to 30").rows().getLast();
        long seq = write.get("seq").longValue();
        JsonNode changes = json("state last --at " + (seq - 1) + " --diff " + seq).get("changes");
        String path = "vmcs.01." + write.at("/event/field").textValue();
        JsonNode change =
                StreamSupport.stream(changes.spliterator(), false)
                        .filter(row -> row.get("path").textValue().equals(path))
                        .findFirst()
                        .orElseThrow(() -> new AssertionError(path + " in " + changes));
        assertEquals(write.at("/event/old"), change.get("from"));
        assertEquals(write.at("/event/value"), change.get("to"));
    }

    @Test
    void verifyChecksAllThatWasRecorded() {
        JsonNode verified = json("verify last");
        assertTrue(verified.get("ok").booleanValue());
        assertEquals(recorded.get("events"), verified.get("events"));
        assertTrue(verified.get("checks").size() >= 5, verified.toString());
        String text = on("verify last").expect(ExitCode.DONE).out();
        assertTrue(text.endsWith(": verified, 18,101 events\n"), text);
    }

    @Test
    void statCountsTheExitsThatEventsShow() {
        JsonNode stat = json("stat last");
        long exits = stat.at("/exits/total").longValue();
        assertEquals(2001, exits);
        assertEquals(exits, sum(stat.get("byReason"), "count"));
        assertEquals(exits, sum(stat.get("byVcpu"), "count"));
        assertEquals(recorded.get("events"), stat.get("events"));
        assertEquals(recorded.get("guestOps"), stat.get("guestOps"));
        assertEquals(exits, count("type == 'VmExited'"));
        assertEquals(1000, count("type == 'VmExited' && event.reason == 'CPUID'"));
        assertEquals(
                stat.at("/hostMsr/reads").longValue(),
                count("type == 'HostMsrRead' && has(event.msr)"));
    }

    @Test
    void eventsAreWhatRecordCounted() {
        List<JsonNode> rows = on("events last --format json").expect(ExitCode.DONE).rows();
        assertEquals(recorded.get("events").intValue(), rows.size());
        for (int i = 0; i < rows.size(); i++) {
            assertEquals(i + 1, rows.get(i).get("order").intValue());
        }
        List<String> lines = on("events last").expect(ExitCode.DONE).out().lines().toList();
        assertEquals(rows.size(), lines.size());
        assertTrue(lines.getFirst().contains(rows.getFirst().get("type").textValue()));
    }

    @Test
    void eventsOfARangeAreThose() {
        List<JsonNode> rows =
                on("events last --from 17000 --to 17009 --format json")
                        .expect(ExitCode.DONE)
                        .rows();
        assertEquals(10, rows.size());
        assertEquals(17000, rows.getFirst().get("order").intValue());
    }

    @Test
    void aSearchThatFindsNothingSaysSo() {
        Ran ran = on("events last --from 99999").expect(ExitCode.DONE);
        assertEquals("", ran.out());
        assertTrue(ran.err().startsWith("No event of session "), ran.err());
        assertEquals("", on("events last --from 99999 --quiet").err());
    }

    /// The recorder has closed it: there is nothing to wait for.
    @Test
    void followEndsWithAClosedSession() {
        Ran followed = on("events last --follow --type VmExited").expect(ExitCode.DONE);
        assertEquals(on("events last --type VmExited").out(), followed.out());
    }

    @Test
    void diffCountsTheBaseAsStatDoes() {
        JsonNode diff = json(ASK);
        JsonNode stat = json("stat last");
        assertEquals(stat.at("/exits/total"), diff.at("/base/exits/total"));
        assertEquals(stat.get("hostMsr"), diff.at("/base/hostMsr"));
        assertEquals(stat.get("mutations"), diff.at("/base/mutations"));
        for (JsonNode row : stat.get("byReason")) {
            String reason = row.get("reason").textValue();
            assertEquals(row.get("count"), diff.at("/base/exits/byReason").get(reason), reason);
        }
        // The guest sets IBRS first: kvm-6.1 passes through then, v4 with the SSBD that follows.
        assertEquals(1, diff.at("/base/exits/byMsr/IA32_SPEC_CTRL/writes").intValue());
        assertEquals(2, diff.at("/candidate/exits/byMsr/IA32_SPEC_CTRL/writes").intValue());
        assertEquals(1, diff.at("/firstDivergence/op/index").intValue());
        assertTrue(diff.at("/guestVisible/identical").booleanValue());
    }

    @Test
    void replayCountsTheCandidateAsDiffDoesAndSavesIt() throws IOException {
        Path copy = Files.createDirectory(directory.resolve("copy"));
        String name = recorded.get("session").textValue();
        String file = name + ".avro";
        Files.copy(directory.resolve("log").resolve(file), copy.resolve(file));
        JsonNode candidate = json(ASK).get("candidate");
        String replay = "replay " + name + " --policy kvm-6.1,spec-ctrl=v4 --format json";
        JsonNode counted = on("copy", replay).expect(ExitCode.DONE).json();
        assertEquals(candidate.at("/exits/total"), counted.at("/exits/total"));
        JsonNode saved = on("copy", replay + " --save").expect(ExitCode.DONE).json();
        JsonNode stat = on("copy", "stat last --format json").expect(ExitCode.DONE).json();
        assertEquals(saved.get("session"), stat.get("session"));
        assertNotEquals(recorded.get("session"), saved.get("session"));
        assertEquals(candidate.at("/exits/total"), stat.at("/exits/total"));
        assertEquals(candidate.get("events"), stat.get("events"));
        JsonNode listed = on("copy", "sessions --format json").json().at("/sessions/1");
        assertEquals(name, listed.get("parent").textValue());
        on("copy", "verify last").expect(ExitCode.DONE);
    }

    @ParameterizedTest
    @CsvSource({
        "kvm-6.1, divergence, DONE",
        "kvm-6.1, 'divergence,guest-visible', DONE",
        "'kvm-6.1,spec-ctrl=v4', divergence, NO",
        "'kvm-6.1,spec-ctrl=v4', guest-visible, DONE",
        "'kvm-6.1,spec-ctrl=v4', 'guest-visible,divergence', NO"
    })
    void failsOnWhatItIsTold(String candidate, String rule, ExitCode expected) {
        on("diff last --candidate " + candidate + " --fail-on " + rule).expect(expected);
    }

    @Test
    void failsOnWhatTheGuestCouldTell() throws IOException {
        Path guest = directory.resolve("flush.yaml");
        // IA32_FLUSH_CMD faults where the hypervisor knows nothing of it.
        Files.writeString(
                guest, "scenario: flush\nprogram: [wrmsr: {msr: IA32_FLUSH_CMD, value: 1}]\n");
        on("visible", "record --cpu SapphireRapids --policy kvm-6.6 --guest " + guest)
                .expect(ExitCode.DONE);
        Ran ran =
                on("visible", "diff last --candidate kvm-5.4 --fail-on guest-visible")
                        .expect(ExitCode.NO);
        assertTrue(ran.out().contains("guest-visible: 1 op differs"), ran.out());
    }

    /// 6.1 has a barrier between L2 and L1 on Intel, 5.15 has none, which is why it costs less.
    @Test
    void tellsNoCostWithoutTheRuleItBreaks() {
        on("cheap", "record --guest nested-spec-ctrl --policy kvm-6.1").expect(ExitCode.DONE);
        String broken = ", but the candidate breaks ibpb-nested-exit: ";
        String cheaper = on("cheap", "diff last --candidate kvm-5.15").expect(ExitCode.DONE).out();
        assertTrue(cheaper.contains("verdict: the candidate is cheaper" + broken), cheaper);
        String dearer =
                on("cheap", "diff last --base kvm-5.15 --candidate kvm-6.1")
                        .expect(ExitCode.DONE)
                        .out();
        assertTrue(
                dearer.contains(
                        "verdict: the base is cheaper, but the base breaks ibpb-nested-exit: "),
                dearer);
    }

    @Test
    void writesAReportOnRequest() throws IOException {
        Path page = directory.resolve("new/folder/report.html");
        Ran ran = on(ASK + " --html " + page).expect(ExitCode.DONE);
        assertEquals("report: " + page + "\n", ran.err());
        String html = Files.readString(page);
        assertTrue(html.startsWith("<!DOCTYPE html>"), html.substring(0, 40));
        assertEquals(html, on(ASK + " --html -").expect(ExitCode.DONE).out());
    }

    /// The estimate of the mailing list: 1000 cycles for a write that exits, 50 for RDMSR at every exit
    /// once writes pass through. Both cost the same where the guest writes once per 20 exits.
    @ParameterizedTest
    @CsvSource({"19, -5000, candidateCheaper", "20, 0, equal", "21, 5000, baseCheaper"})
    void breaksEvenAtOneWriteInTwentyExits(int exits, long cycles, String verdict)
            throws IOException {
        Path guest = directory.resolve("rate-" + exits + ".yaml");
        Files.writeString(
                guest,
                """
                scenario: rate
                program:
                  - repeat: 100
                    do:
                      - wrmsr: {msr: IA32_SPEC_CTRL, value: 0x5}
                      - repeat: %d
                        do: [{cpuid: {leaf: 1}}]
                """
                        .formatted(exits));
        String log = "rate-" + exits;
        on(log, "record --guest " + guest).expect(ExitCode.DONE);
        JsonNode diff =
                on(
                                log,
                                "diff last --cost thread-0 --format json"
                                        + " --base kvm-6.1,spec-ctrl=always-intercept"
                                        + " --candidate kvm-6.1,spec-ctrl=always-passthrough")
                        .expect(ExitCode.DONE)
                        .json();
        assertEquals(100_000, diff.at("/base/cycles/total/typical").longValue());
        assertEquals(cycles, diff.at("/comparison/cycles/typical").longValue());
        assertEquals(verdict, diff.at("/comparison/verdict").textValue());
    }

    @Test
    void tellsAtWhichCheckAVmEntryFails() throws IOException {
        Path guest = directory.resolve("entry.yaml");
        Files.writeString(
                guest,
                """
                scenario: entry
                program:
                  - nested:
                      fields: {GUEST_RFLAGS: 0}
                      do: [{run: 1}]
                """);
        Ran ran = on("entry", "record --guest " + guest + " --format json").expect(ExitCode.DONE);
        String said = "VM entry to L2 failed at the check guest-rflags, event ";
        assertTrue(ran.err().contains(said), ran.err());
        JsonNode failure = ran.json().at("/sessions/0/entryFailures/0");
        assertEquals("guest-rflags", failure.get("check").textValue());
        Ran stat = on("entry", "stat last").expect(ExitCode.DONE);
        assertTrue(stat.out().contains("1 VM entry failed:\n  vCPU 0: " + said), stat.out());
        assertEquals(failure, on("entry", "stat last --format json").json().at("/entryFailures/0"));
    }

    @Test
    void readsATornSessionAsFarAsItGoes() throws IOException {
        Path torn = directory.resolve("torn.avro");
        String name = recorded.get("session").textValue();
        byte[] whole = Files.readAllBytes(directory.resolve("log/" + name + ".avro"));
        Files.write(torn, Arrays.copyOf(whole, whole.length * 9 / 10));
        JsonNode listed = on("torn.avro", "sessions --format json").json().at("/sessions/0");
        assertEquals("torn", listed.get("status").textValue());
        int events = listed.get("events").intValue();
        assertTrue(events > 1000 && events < 18_101, listed.toString());
        List<String> lines =
                on("torn.avro", "events last").expect(ExitCode.DONE).out().lines().toList();
        assertEquals(events, lines.size());
        JsonNode stat = on("torn.avro", "stat last --format json").expect(ExitCode.DONE).json();
        assertEquals(events, stat.get("events").intValue());
        JsonNode verified =
                on("torn.avro", "verify last --format json").expect(ExitCode.DONE).json();
        assertEquals(events, verified.get("events").intValue());
        JsonNode state = on("torn.avro", "state last --format json").expect(ExitCode.DONE).json();
        assertEquals(events, state.get("order").intValue());
        assertFalse(on("torn.avro", ASK).expect(ExitCode.DONE).out().isEmpty());
    }

    @Test
    void demoAsksTwoQuestionsAndCountsAsStatDoes() {
        Ran ran =
                on("demo", "demo --format json --html " + directory.resolve("pages"))
                        .expect(ExitCode.DONE);
        JsonNode parts = ran.json().get("parts");
        assertEquals(2, parts.size());
        for (JsonNode part : parts) {
            assertTrue(part.at("/verify/ok").booleanValue());
            String session = part.at("/diff/session").textValue();
            JsonNode stat =
                    on("demo", "stat " + session + " --format json").expect(ExitCode.DONE).json();
            assertEquals(stat.at("/exits/total"), part.at("/diff/base/exits/total"));
            assertEquals(stat.get("hostMsr"), part.at("/diff/base/hostMsr"));
            assertTrue(Files.exists(Path.of(part.get("html").textValue())));
        }
        // Every one of the guest's own accesses to FS_BASE, and no other, exits under the
        // candidate.
        JsonNode first = parts.get(0).get("diff");
        JsonNode accesses = first.at("/candidate/exits/byMsr/FS_BASE");
        assertEquals(
                first.at("/candidate/exits/total").longValue()
                        - first.at("/base/exits/total").longValue(),
                accesses.get("reads").longValue() + accesses.get("writes").longValue());
        assertTrue(accesses.get("writes").longValue() > 0);
    }

    @Test
    void demoPrintsTheNumbersOfItsDiff() {
        String out =
                on("text", "demo --quiet --html " + directory.resolve("pages"))
                        .expect(ExitCode.DONE)
                        .out();
        List<String> totals = out.lines().filter(line -> line.startsWith("VM exits ")).toList();
        assertEquals(2, totals.size(), out);
        JsonNode sessions = on("text", "sessions --format json").json().get("sessions");
        for (int i = 0; i < 2; i++) {
            String session = sessions.get(i).get("session").textValue();
            JsonNode stat = on("text", "stat " + session + " --format json").json();
            String total = Table.number(stat.at("/exits/total").longValue());
            assertEquals(total, totals.get(i).strip().split(" +")[2]);
        }
    }
}

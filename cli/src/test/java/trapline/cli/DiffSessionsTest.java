package trapline.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `diff` of two sessions: of the model's by events, of hosts' by rates and times.
class DiffSessionsTest {

    @TempDir static Path directory;

    private static String first;
    private static String again;
    private static String otherSeed;
    private static String v4;
    private static String before;
    private static String after;

    @BeforeAll
    static void record() throws IOException {
        first = recorded("");
        again = recorded("");
        otherSeed = recorded(" --seed 5");
        v4 = recorded(" --policy kvm-6.1,spec-ctrl=v4");
        before = imported("before.txt", 100, 4);
        after = imported("after.txt", 50, 8);
    }

    private static Ran on(String line) {
        return Ran.line(line + " --log file:" + directory.resolve("log"));
    }

    private static String recorded(String options) {
        return on("record --guest ssbd-per-task --quiet" + options)
                .expect(ExitCode.DONE)
                .out()
                .strip();
    }

    /// 32 seconds of HLT at regular times.
    private static String imported(String name, int everyMillis, int tookMillis)
            throws IOException {
        List<String> lines = new ArrayList<>();
        lines.add(line(1_000_000, "kvm_entry: vcpu 0, rip 0x1000"));
        for (long at = 1_000_000; at < 33_000_000; at += everyMillis * 1000L) {
            lines.add(
                    line(
                            at + 1000,
                            "kvm_exit: vcpu 0 reason HLT rip 0x1000 info1 0x0000000000000000 info2"
                                    + " 0x0000000000000000 intr_info 0x00000000 error_code 0x00000000"));
            lines.add(line(at + 1000 + tookMillis * 1000L, "kvm_entry: vcpu 0, rip 0x1000"));
        }
        Path file = Files.write(directory.resolve(name), lines);
        return on("import " + file + " --quiet").expect(ExitCode.DONE).out().strip();
    }

    private static String line(long micros, String event) {
        return String.format(
                Locale.ROOT,
                " CPU 0/KVM-100   [000] d....  %d.%06d: %s",
                micros / 1_000_000,
                micros % 1_000_000,
                event);
    }

    private static JsonNode json(String line) {
        return on(line + " --format json").expect(ExitCode.DONE).json();
    }

    private static long events(String session, String type) {
        return on("events %s --type %s".formatted(session, type)).out().lines().count();
    }

    @Test
    void twoOfTheSameAreTheSame() {
        JsonNode diff = json("diff " + first + " " + again + " --fail-on divergence");
        assertTrue(diff.get("firstDivergence").isNull(), diff.toString());
        assertEquals(18_101, diff.get("compared").longValue());
        assertTrue(diff.get("complete").booleanValue());
        assertEquals("same", diff.at("/total/verdict").textValue());
        String text = on("diff " + first + " " + again).expect(ExitCode.DONE).out();
        assertTrue(text.endsWith("\n18,101 events, all the same\n"), text);
    }

    /// The deadline that the guest sets is drawn from the seed: what VmExited tells of RAX is the first to differ.
    @Test
    void anotherSeedPartsAtItsFirstDraw() {
        JsonNode parting = json("diff " + first + " " + otherSeed).get("firstDivergence");
        assertEquals(0, parting.get("vcpu").intValue());
        assertEquals("[\"written.RAX\"]", parting.get("differences").toString());
        JsonNode event = parting.at("/base/event");
        assertEquals("VmExited", event.get("type").textValue());
        assertEquals("0x6e0", event.at("/event/written/RCX").textValue());
        assertEquals(event.get("seq"), parting.at("/candidate/event/seq"));
        assertEquals(3, parting.at("/base/before").size());
        assertEquals(
                event.get("seq").longValue() - 1, parting.at("/base/before/2/seq").longValue());
        assertEquals(3, parting.at("/candidate/after").size());
        assertEquals(
                event.get("seq").longValue() + 1, parting.at("/candidate/after/0/seq").longValue());
    }

    @Test
    void whatIsIgnoredMayDiffer() {
        String ask = "diff " + first + " " + otherSeed + " --ignore ";
        JsonNode diff = json(ask + "rax,rdx,value");
        assertTrue(diff.get("firstDivergence").isNull(), diff.toString());
        assertEquals(18_101, diff.get("compared").longValue());
        JsonNode fewer = json(ask + "type:VmExited,type:MsrWritten");
        assertEquals(
                18_101 - events(first, "VmExited") - events(first, "MsrWritten"),
                fewer.get("compared").longValue());
    }

    /// v4 does not pass SPEC_CTRL through at the write of IBRS.
    @Test
    void anotherPolicyPartsAtAnotherEvent() {
        Ran ran = on("diff " + first + " " + v4 + " --fail-on divergence").expect(ExitCode.NO);
        assertTrue(
                ran.out().contains(" events are the same; the sessions part at vCPU 0: type\n"),
                ran.out());
        JsonNode diff = json("diff " + first + " " + v4);
        assertEquals(2001, diff.at("/total/base/count").intValue());
        assertEquals(2002, diff.at("/total/candidate/count").intValue());
        JsonNode specCtrl =
                StreamSupport.stream(diff.get("byMsr").spliterator(), false)
                        .filter(row -> row.get("msr").textValue().equals("0x48"))
                        .findFirst()
                        .orElseThrow();
        assertEquals(1, specCtrl.at("/base/count").intValue());
        assertEquals(2, specCtrl.at("/candidate/count").intValue());
        assertEquals(1.0, specCtrl.get("change").doubleValue());
        assertEquals("more", specCtrl.get("verdict").textValue());
        assertTrue(specCtrl.get("low").isNull());
        assertEquals(
                "MsrInterceptChanged", diff.at("/firstDivergence/base/event/type").textValue());
        assertEquals("MsrWritten", diff.at("/firstDivergence/candidate/event/type").textValue());
    }

    /// 320 HLTs of 4 ms become 640 of 8 ms.
    @Test
    void ratesAndTimesOfHosts() {
        JsonNode diff = json("diff " + before + " " + after);
        assertEquals(0.95, diff.get("confidence").doubleValue());
        assertEquals(before, diff.at("/sessions/0/session").textValue());
        assertEquals(0, diff.at("/sessions/0/gaps/count").intValue());
        JsonNode halt = diff.at("/byReason/0");
        assertEquals("HLT", halt.get("reason").textValue());
        assertEquals(320, halt.at("/base/count").intValue());
        assertEquals(640, halt.at("/candidate/count").intValue());
        assertEquals(1, halt.get("change").doubleValue(), 0.01);
        assertTrue(halt.get("low").doubleValue() <= halt.get("change").doubleValue());
        assertTrue(halt.get("high").doubleValue() >= halt.get("change").doubleValue());
        assertEquals("more", halt.get("verdict").textValue());
        assertEquals(4_000_000, halt.at("/mean/base").longValue());
        assertEquals(1.0, halt.at("/mean/change").doubleValue());
        assertEquals("longer", halt.at("/mean/verdict").textValue());
        assertTrue(diff.get("firstDivergence").isNull());
        String ask = "diff " + before + " " + after;
        assertEquals(on(ask).out(), on(ask).out());
        assertTrue(on(ask).out().contains("no gaps"), on(ask).out());
    }

    @Test
    void aHostAndTheModelHaveOnlyCounts() {
        JsonNode diff = json("diff " + before + " " + first);
        assertEquals("no times", diff.at("/total/verdict").textValue());
        assertEquals(320, diff.at("/total/base/count").intValue());
        assertEquals(2001, diff.at("/total/candidate/count").intValue());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--ignore tik          | 3 | --ignore: unknown field 'tik'; did you mean tick?",
                "--ignore type:VmExit  | 3 | --ignore: unknown type of event 'VmExit'; did you mean VmExited?",
                "--candidate kvm-6.6   | 2 | two sessions are compared as they are: no --base, --candidate, --as, --cpu, --cost, --html, --all",
                "--fail-on violation   | 2 | --fail-on: of two sessions only divergence can be asked"
            })
    void whatCannotBe(String words, int code, String message) {
        Ran ran = on("diff " + first + " " + v4 + " " + words);
        assertEquals(code, ran.code(), ran.toString());
        assertEquals(message, ran.message());
    }

    @Test
    void ignoringIsForTwoSessions() {
        Ran ran = on("diff " + first + " --candidate kvm-6.6 --ignore tick").expect(ExitCode.USAGE);
        assertEquals("--ignore is for two sessions", ran.message());
    }
}

package trapline.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import trapline.replayer.export.Form;

/// `export` writes the events that `events` shows, and files that are whole or not there.
class ExportCommandTest {

    private static final String MANY =
            """
            scenario: many
            program:
              - repeat: 4000
                do:
                  - cpuid: {leaf: 1}
            """;

    @TempDir static Path log;

    @TempDir Path folder;

    @BeforeAll
    static void record() {
        Ran.line("record --guest ssbd-per-task --log file:" + log).expect(ExitCode.DONE);
    }

    private static Ran on(String line) {
        return Ran.line(line + " --log file:" + log);
    }

    private Path file(String name) {
        return folder.resolve(name);
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    @Test
    void jsonIsWhatEventsPrints() throws IOException {
        Ran ran = on("export last --to json --out " + file("all.jsonl")).expect(ExitCode.DONE);
        assertEquals(file("all.jsonl") + ": 18,101 events\n", ran.err());
        assertEquals("", ran.out());
        assertEquals(on("events last --format json").out(), Files.readString(file("all.jsonl")));
        assertEquals(List.of(file("all.jsonl")), files());
    }

    @Test
    void aFilterIsTheOneOfEvents() throws IOException {
        on("export last --to json --from 100 --until 900 --type HardwareEvent --out "
                        + file("some.jsonl"))
                .expect(ExitCode.DONE);
        String shown =
                on("events last --from 100 --to 900 --type HardwareEvent --format json").out();
        assertFalse(shown.isEmpty());
        assertEquals(shown, Files.readString(file("some.jsonl")));
    }

    /// The guest executes one WRMSR at its begin and three for each of its 1,000 tasks.
    @Test
    void csvHasAColumnForEachFieldThatThereMayBe() throws IOException {
        on("export last --to csv --type MsrWritten --out " + file("writes.csv"))
                .expect(ExitCode.DONE);
        List<String> lines = Files.readAllLines(file("writes.csv"));
        assertEquals(
                "order,vcpu,seq,pcpu,scope,tick,op,cause,type,"
                        + "event.rip,event.msr,event.value,event.outcome",
                lines.getFirst());
        assertTrue(
                lines.get(1).endsWith(",MsrWritten,0xffffffff81000000,IA32_SPEC_CTRL,0x1,done"),
                lines.get(1));
        assertEquals(1 + 3001, lines.size());
    }

    @Test
    void aTableOfNothingHasItsHeader() throws IOException {
        on("export last --to csv --type TimestampCounterRead --out " + file("none.csv"))
                .expect(ExitCode.DONE);
        assertEquals(
                "order,vcpu,seq,pcpu,scope,tick,op,cause,type,event.rip,event.value,event.outcome\n",
                Files.readString(file("none.csv")));
    }

    @Test
    void whatIsThereIsNotReplacedUnlessToldTo() throws IOException {
        Files.writeString(file("old"), "old");
        Ran refused = on("export last --to csv --out " + file("old")).expect(ExitCode.BAD_INPUT);
        assertEquals(file("old") + ": is there already; --force replaces it", refused.message());
        assertEquals("old", Files.readString(file("old")));
        on("export last --to csv --force --out " + file("old")).expect(ExitCode.DONE);
        assertTrue(Files.size(file("old")) > 1_000_000);
        assertEquals(List.of(file("old")), files());
    }

    @Test
    void aFailureLeavesNoFile() throws IOException {
        on("export last --to csv --vcpu 7 --out " + file("half.csv")).expect(ExitCode.BAD_INPUT);
        assertEquals(List.of(), files());
    }

    /// The guest executes CPUID at one place, and WRMSR of TSC_DEADLINE at another; SPEC_CTRL exits once.
    @Test
    void foldedStacksAreExitsByReasonMsrAndRip() throws IOException {
        on("export last --to folded --out " + file("f")).expect(ExitCode.DONE);
        assertEquals(
                """
                vcpu0;CPUID;leaf 0x1;rip 0xffffffff81000050 1000
                vcpu0;MSR_WRITE;IA32_SPEC_CTRL;rip 0xffffffff81000000 1
                vcpu0;MSR_WRITE;IA32_TSC_DEADLINE;rip 0xffffffff81000060 1000
                """,
                Files.readString(file("f")));
        assertEquals(
                "--weight time: a session of the model has no time; expected --weight count",
                on("export last --to folded --weight time").expect(ExitCode.BAD_INPUT).message());
    }

    private static final String TRACE =
            """
            qemu-77 [001] d..1. 5.000010: kvm_entry: vcpu 0, rip 0x1000
            qemu-77 [001] d..1. 5.000020: kvm_exit: vcpu 0 reason MSR_WRITE rip 0x2000 info1 0x0000000000000000 info2 0x0000000000000000 intr_info 0x00000000 error_code 0x00000000
            qemu-77 [001] ..... 5.000022: kvm_msr: msr_write 48 = 0x1
            qemu-77 [001] d..1. 5.000023: kvm_entry: vcpu 0, rip 0x2002
            CPU:1 [LOST 12 EVENTS]
            qemu-77 [001] d..1. 5.000030: kvm_exit: vcpu 0 reason MSR_WRITE rip 0x2000 info1 0x0000000000000000 info2 0x0000000000000000 intr_info 0x00000000 error_code 0x00000000
            qemu-77 [001] ..... 5.000031: kvm_msr: msr_write 48 = 0x0
            qemu-77 [001] d..1. 5.000037: kvm_entry: vcpu 0, rip 0x2002
            """;

    /// From exits to entries: 3 and 7 microseconds.
    @Test
    void foldedStacksOfATraceMayWeighTime() throws IOException {
        String there = imported(Files.writeString(file("trace.txt"), TRACE), "there");
        Ran.line("export last --to folded --weight time --out " + file("f") + there)
                .expect(ExitCode.DONE);
        assertEquals(
                "vcpu0;MSR_WRITE;IA32_SPEC_CTRL;rip 0x2000 10000\n", Files.readString(file("f")));
    }

    /// Who gets an empty file is told so, and how many exits there were.
    @Test
    void foldedStacksOfATraceWithoutExitsAreNone() throws IOException {
        Path trace =
                Files.writeString(
                        file("trace.txt"),
                        TRACE.lines()
                                .filter(line -> !line.contains("kvm_exit"))
                                .collect(Collectors.joining("\n", "", "\n")));
        String there = imported(trace, "there");
        assertEquals(
                file("f") + ": 0 events\n",
                Ran.line("export last --to folded --out " + file("f") + there)
                        .expect(ExitCode.DONE)
                        .err());
    }

    private String imported(Path trace, String name) {
        String there = " --log file:" + file(name);
        Ran.line("import " + trace + there).expect(ExitCode.DONE);
        return there;
    }

    /// All but the flags, which are not kept.
    @Test
    void anImportedTraceIsExportedAsItWas() throws IOException {
        String there = imported(Files.writeString(file("trace.txt"), TRACE), "there");
        Ran ran =
                Ran.line("export last --to ftrace --out " + file("again.txt") + there)
                        .expect(ExitCode.DONE);
        assertEquals(file("again.txt") + ": 7 events\n", ran.err());
        assertEquals(
                TRACE.replaceAll("d..1.|[.]{5}", ".....").lines().map(String::strip).toList(),
                Files.readAllLines(file("again.txt")).stream()
                        .filter(line -> !line.startsWith("#"))
                        .map(line -> line.strip().replaceAll(" +", " "))
                        .toList());
    }

    /// vCPU and reason of each exit, from the model's events and from the trace that they were exported as.
    @ParameterizedTest
    @CsvSource({
        "ssbd-per-task, kvm-6.1, 2001",
        "nested-spec-ctrl, kvm-6.18, 128",
        "nested-calls, kvm-7.1, 302",
        "linux-6.1-tasks-2cpu, kvm-6.1, 156",
        "hlt-loop, kvm-5.4, 1000",
    })
    void aSessionOfTheModelHasTheSameExitsAsATrace(String guest, String policy, int count)
            throws IOException {
        String own = " --log file:" + file("own");
        Ran.line("record --guest " + guest + " --policy " + policy + own).expect(ExitCode.DONE);
        Ran.line("export last --to ftrace --out " + file("own.txt") + own).expect(ExitCode.DONE);
        String there = " --log file:" + file("there");
        Ran.line("import --strict " + file("own.txt") + there).expect(ExitCode.DONE);
        List<String> exits =
                exits(Ran.line("events last --type VmExited --format json" + own).rows());
        assertEquals(count, exits.size());
        assertEquals(
                exits,
                exits(
                        Ran.line("events last --type TracepointHit --format json" + there)
                                .rows()
                                .stream()
                                .filter(row -> row.at("/event/point").asText().equals("kvm_exit"))
                                .toList()));
    }

    private static List<String> exits(List<JsonNode> rows) {
        return rows.stream()
                .map(row -> row.get("vcpu") + " " + row.at("/event/reason").textValue())
                .toList();
    }

    /// The copy has the same records, so the same chain of CRCs and digests, and executes again.
    @Test
    void avroIsTheSessionItself() throws IOException {
        Path guest = Files.writeString(file("many.yaml"), MANY);
        String from = " --log file:" + file("from");
        Ran.line("record --guest " + guest + from).expect(ExitCode.DONE);
        Path copy = file("copy.avro");
        Ran.line("export last --to avro --out " + copy + from).expect(ExitCode.DONE);
        String there = " --log file:" + copy;
        assertEquals(
                Ran.line("events last --format json" + from).out(),
                Ran.line("events last --format json" + there).out());
        String verified = Ran.line("verify last" + from).expect(ExitCode.DONE).out();
        assertTrue(verified.contains("\nok  checkpoints  1 "), verified);
        assertEquals(verified, Ran.line("verify last" + there).expect(ExitCode.DONE).out());
        assertEquals(
                Set.of(guest, file("from"), copy), Set.copyOf(files()), "nothing else is left");
    }

    /// The first WRMSR of SPEC_CTRL exits at event 92 and is entered again at 101, an event a microsecond.
    @Test
    void aTimelineHasExitsAsSlicesWithArrowsToWhatTheyCaused() throws IOException {
        on("export last --to chrome --until 101 --out " + file("t.json")).expect(ExitCode.DONE);
        String text = Files.readString(file("t.json"));
        JsonNode events = new ObjectMapper().readTree(text).get("traceEvents");
        List<String> exit =
                StreamSupport.stream(events.spliterator(), false)
                        .filter(event -> event.path("ts").longValue() == 92)
                        .filter(event -> event.get("ph").textValue().matches("[BsfE]"))
                        .map(event -> event.get("ph").textValue() + event.path("name").asText())
                        .toList();
        // 93 to 98, 100 and 101; 99 is the guest's own op, which ends.
        assertEquals("BMSR_WRITE IA32_SPEC_CTRL", exit.get(1), exit.toString());
        assertEquals(8, exit.stream().filter(e -> e.startsWith("s")).count());
        assertTrue(
                text.contains(
                        "\"ph\":\"C\",\"pid\":1,\"tid\":0,\"name\":\"vCPU 0 intercepts"
                                + " IA32_SPEC_CTRL in bitmap01\",\"ts\":98,\"args\":{\"value\":0}"),
                text);
        assertTrue(
                text.contains(
                        "\"name\":\"vCPU 0 SPEC_CTRL of the guest\",\"ts\":99,\"args\":{\"value\":1}"),
                text);
    }

    @Test
    void helpAndReadmeHaveEveryForm() throws IOException {
        String help = Ran.line("export --help").out();
        String readme = Files.readString(Path.of("../README.md"));
        for (String form : Form.names()) {
            assertTrue(help.contains("\n  " + form + " "), form);
            assertTrue(readme.contains("`" + form + "`"), form);
        }
    }

    @Test
    void aSessionIsExportedWhole() {
        assertEquals(
                "--to avro: a session is exported whole; expected no --from, --until, --vcpu,"
                        + " --type and --where",
                on("export last --to avro --vcpu 0").expect(ExitCode.USAGE).message());
    }

    @Test
    void aFileInJson() {
        Ran ran = on("export last --to csv --format json --out " + file("a/b.csv"));
        assertEquals("", ran.err());
        assertEquals(18_101, ran.json().get("events").intValue());
        assertEquals(file("a/b.csv").toString(), ran.json().get("file").textValue());
        assertEquals("csv", ran.json().get("form").textValue());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--to jsno | 3 | unknown form 'jsno'; did you mean json?",
                "--to csv --from 0 | 2 | --from: expected an order number from 1, found 0",
                "--to csv --from 9 --until 8 | 2 |"
                        + " --until: expected an order number from 9, found 8",
                "--to csv --format json | 2 |"
                        + " --format json is about a file that --out names; expected --out FILE",
            })
    void refuses(String words, int code, String message) {
        Ran ran = on("export last " + words);
        assertEquals(code, ran.code(), ran.toString());
        assertEquals(message, ran.message());
    }
}

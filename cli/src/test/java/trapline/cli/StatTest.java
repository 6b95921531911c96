package trapline.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Exits and their times, as a user sees them: of a trace, of the session that it becomes, of the model's.
class StatTest {

    private static final Path TRACES = Path.of("../recorder/src/test/resources/trapline/traces");

    /// Two vCPUs in 1.2 seconds: MSR_WRITE takes 4, 6 and 10 us, HLT 500 us, of which 480 halted, IO 90 us, of which 80
    /// in userspace; the last exit has no entry.
    private static final String TRACE =
            """
             CPU 0/KVM-101   [000] d....   10.000100: kvm_entry: vcpu 0, rip 0x1000
             CPU 1/KVM-102   [001] d....   10.000100: kvm_entry: vcpu 1, rip 0x2000
             CPU 0/KVM-101   [000] d....   10.001000: kvm_exit: vcpu 0 reason MSR_WRITE rip 0x1000 info1 0x0000000000000000 info2 0x0000000000000000 intr_info 0x00000000 error_code 0x00000000
             CPU 0/KVM-101   [000] .....   10.001001: kvm_msr: msr_write 6e0 = 0x1
             CPU 0/KVM-101   [000] d....   10.001004: kvm_entry: vcpu 0, rip 0x1002
             CPU 1/KVM-102   [001] d....   10.001500: kvm_exit: vcpu 1 reason MSR_WRITE rip 0x2000 info1 0x0000000000000000 info2 0x0000000000000000 intr_info 0x00000000 error_code 0x00000000
             CPU 1/KVM-102   [001] .....   10.001501: kvm_msr: msr_write 48 = 0x1
             CPU 1/KVM-102   [001] d....   10.001510: kvm_entry: vcpu 1, rip 0x2002
             CPU 0/KVM-101   [000] d....   10.002000: kvm_exit: vcpu 0 reason HLT rip 0x1010 info1 0x0000000000000000 info2 0x0000000000000000 intr_info 0x00000000 error_code 0x00000000
             CPU 0/KVM-101   [000] .....   10.002490: kvm_vcpu_wakeup: wait time 480000 ns, polling valid
             CPU 0/KVM-101   [000] d....   10.002500: kvm_entry: vcpu 0, rip 0x1011
             CPU 0/KVM-101   [000] d....   11.100000: kvm_exit: vcpu 0 reason MSR_WRITE rip 0x1000 info1 0x0000000000000000 info2 0x0000000000000000 intr_info 0x00000000 error_code 0x00000000
             CPU 0/KVM-101   [000] .....   11.100003: kvm_msr: msr_write 6e0 = 0x2
             CPU 0/KVM-101   [000] d....   11.100006: kvm_entry: vcpu 0, rip 0x1002
             CPU 1/KVM-102   [001] d....   11.150000: kvm_exit: vcpu 1 reason IO_INSTRUCTION rip 0x2020 info1 0x0000000003f80000 info2 0x0000000000000000 intr_info 0x00000000 error_code 0x00000000
             CPU 1/KVM-102   [001] .....   11.150005: kvm_pio: pio_write at 0x3f8 size 1 count 1 val 0x41\s
             CPU 1/KVM-102   [001] .....   11.150010: kvm_userspace_exit: reason KVM_EXIT_IO (2)
             CPU 1/KVM-102   [001] d....   11.150090: kvm_entry: vcpu 1, rip 0x2021
             CPU 1/KVM-102   [001] d....   11.200100: kvm_exit: vcpu 1 reason HLT rip 0x2030 info1 0x0000000000000000 info2 0x0000000000000000 intr_info 0x00000000 error_code 0x00000000
            """;

    @TempDir static Path directory;

    private static Path trace() throws IOException {
        return Files.writeString(directory.resolve("trace.txt"), TRACE);
    }

    private static Ran stat(Path file, String... words) {
        List<String> line = new ArrayList<>(List.of("stat", file.toString()));
        line.addAll(List.of(words));
        return Ran.trapline(line.toArray(String[]::new));
    }

    private static JsonNode json(Path file, String... words) {
        List<String> line = new ArrayList<>(List.of(words));
        line.addAll(List.of("--format", "json"));
        return stat(file, line.toArray(String[]::new)).expect(ExitCode.DONE).json();
    }

    private static JsonNode row(JsonNode rows, String key, String value) {
        return StreamSupport.stream(rows.spliterator(), false)
                .filter(row -> row.get(key).asText().equals(value))
                .findFirst()
                .orElseThrow(() -> new AssertionError(value + " in " + rows));
    }

    @Test
    void timesOfATrace() throws IOException {
        JsonNode stat = json(trace());
        assertEquals(6, stat.at("/exits/total").intValue());
        assertEquals(5, stat.at("/exits/timed").intValue());
        assertEquals(1, stat.at("/exits/withoutEntry").intValue());
        assertEquals("ns", stat.get("unit").textValue());
        assertEquals(1_200_000_000, stat.get("span").longValue());
        JsonNode writes = row(stat.get("byReason"), "reason", "MSR_WRITE");
        assertEquals(3, writes.get("count").intValue());
        assertEquals(0.5, writes.get("share").doubleValue());
        assertEquals(0.032787, writes.get("timeShare").doubleValue()); // 20 of 610 us
        assertEquals(4000, writes.get("min").longValue());
        assertEquals(6666.667, writes.get("mean").doubleValue());
        assertEquals(3055.05, writes.get("deviation").doubleValue(), 0.001);
        assertEquals(6000, writes.get("p50").longValue());
        assertEquals(10_000, writes.get("p95").longValue());
        assertEquals(10_000, writes.get("max").longValue());
        JsonNode halt = row(stat.get("byReason"), "reason", "HLT");
        assertEquals(2, halt.get("count").intValue());
        assertEquals(1, halt.get("timed").intValue());
        assertEquals(480_000, halt.get("halted").longValue());
        JsonNode io = row(stat.get("byReason"), "reason", "IO_INSTRUCTION");
        assertEquals(1, io.at("/userspace/count").intValue());
        assertEquals(80_000, io.at("/userspace/time").longValue());
        assertEquals(0, io.at("/inKernel/timed").intValue());
        JsonNode deadline = row(stat.get("byMsr"), "msr", "0x6e0");
        assertEquals("IA32_TSC_DEADLINE", deadline.get("name").textValue());
        assertEquals("write", deadline.get("access").textValue());
        assertEquals(2, deadline.get("count").intValue());
        assertEquals(6000, deadline.get("time").longValue());
        assertEquals(85_000, row(stat.get("byPort"), "port", "0x3f8").get("time").longValue());
        assertEquals(3, row(stat.get("byVcpu"), "vcpu", "1").get("count").intValue());
    }

    /// A session that was imported from it has the same numbers.
    @Test
    void aSessionHasWhatItsTraceHas() throws IOException {
        String log = "file:" + directory.resolve("log");
        Ran.trapline("import", trace().toString(), "--log", log).expect(ExitCode.DONE);
        JsonNode session =
                Ran.trapline("stat", "last", "--log", log, "--format", "json")
                        .expect(ExitCode.DONE)
                        .json();
        JsonNode file = json(trace());
        for (String key :
                List.of("exits", "span", "gaps", "byReason", "byMsr", "byPort", "byVcpu")) {
            assertEquals(file.get(key), session.get(key), key);
        }
        Ran text = Ran.trapline("stat", "last", "--log", log).expect(ExitCode.DONE);
        assertTrue(
                text.out().contains(", imported from trace.txt: 6 VM exits in 1.200 s, "),
                text.out());
    }

    @Test
    void windowsFollowTheClock() throws IOException {
        JsonNode windows = json(trace(), "--interval", "1s").get("windows");
        assertEquals(2, windows.size());
        assertEquals(0, windows.at("/0/from").longValue());
        assertEquals(3, windows.at("/0/exits").intValue());
        assertEquals(1_000_000_000, windows.at("/1/from").longValue());
        assertEquals(3, windows.at("/1/exits").intValue());
        assertEquals(
                14_000,
                row(windows.at("/0/byReason"), "reason", "MSR_WRITE").get("time").longValue());
        String text = stat(trace(), "--interval", "100ms").expect(ExitCode.DONE).out();
        assertTrue(text.contains("\n1.100 to 1.200 s: 1 VM exit\n"), text);
        assertFalse(text.contains("\n0.100 to 0.200 s"), text);
    }

    @Test
    void aConditionAndAnOrder() throws IOException {
        JsonNode stat =
                json(
                        trace(),
                        "--where",
                        "event.reason == \"MSR_WRITE\" && vcpu == 0",
                        "--by",
                        "rip");
        assertEquals(2, stat.at("/exits/total").intValue());
        assertEquals("0x1000", stat.at("/byRip/0/rip").textValue());
        assertEquals(5000, stat.at("/byRip/0/mean").longValue());
        JsonNode byMax = json(trace(), "--sort", "max", "--top", "1");
        assertEquals("HLT", byMax.at("/byReason/0/reason").textValue());
        assertEquals(1, byMax.get("byReason").size());
        assertEquals(2, byMax.at("/leftOut/byReason").intValue());
        assertEquals(3, json(trace(), "--vcpu", "1").at("/exits/total").intValue());
    }

    /// 4 and 6 us are in [4.096, 8.192) but for 4.000, which is in [2.048, 4.096); 10 us in [8.192, 16.384).
    @Test
    void histogramsAreDrawn() throws IOException {
        String text =
                stat(trace(), "--by", "reason", "--histogram", "--top", "1")
                        .expect(ExitCode.DONE)
                        .out();
        String bar = "  |" + "#".repeat(40) + "|  1\n";
        String expected =
                "\nMSR_WRITE, 3 timed, us\n"
                        + ("2.048  to   4.096" + bar)
                        + ("4.096  to   8.192" + bar)
                        + ("8.192  to  16.384" + bar);
        assertTrue(text.contains(expected), text);
    }

    /// By zgrep -c.
    @Test
    void aTraceWithoutExits() {
        Path boot = TRACES.resolve("linux-6.1-boot.kvm.ftrace.txt.gz");
        JsonNode stat = json(boot, "--by", "mmio,userspace,vector");
        assertEquals(0, stat.at("/exits/total").intValue());
        assertFalse(stat.at("/exits/traced").booleanValue());
        assertEquals(
                19_542,
                row(stat.get("byUserspace"), "reason", "KVM_EXIT_IO").get("count").intValue());
        assertEquals(9101, row(stat.get("byPort"), "port", "0x3fd").get("count").intValue());
        assertEquals(26, row(stat.get("byMsr"), "msr", "0x80b").get("count").intValue());
        assertEquals(397, stat.at("/byMmio/0/count").intValue());
        assertEquals("0xfec00000", stat.at("/byMmio/0/page").textValue());
        assertEquals(4, row(stat.get("byVector"), "vector", "0xe").get("count").intValue());
        Ran text = stat(boot).expect(ExitCode.DONE);
        assertTrue(
                text.out()
                        .endsWith(
                                "\nNo kvm_exit is in the trace: how many exits there were, for what reason and for how long, it does not tell.\n"),
                text.out());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--interval 5      | 2 | invalid value for option '--interval': expected a time like 100ms, 1s or 1m, found '5'",
                "--interval 0s     | 2 | invalid value for option '--interval': expected a time like 100ms, 1s or 1m, found '0s'",
                "--sort p50        | 2 | invalid value for option '--sort': expected count, time, mean, max, p99, name, found 'p50'",
                "--by reson        | 2 | invalid value for option '--by' (WHAT): expected reason, msr, port, mmio, cr, vector, hypercall, userspace, rip, vcpu, found 'reson'; did you mean reason?",
                "--top 0           | 2 | --top: expected a number from 1, found 0",
                "--vcpu 7          | 3 | FILE: the trace has vCPUs 0 to 1, not 7",
                "--where event.reasn | 3 | --where: no event has a field 'reasn'; did you mean reason?"
            })
    void whatCannotBe(String words, int code, String message) throws IOException {
        Path file = trace();
        Ran ran = stat(file, words.split(" "));
        assertEquals(code, ran.code(), ran.toString());
        assertEquals(message.replace("FILE", file.toString()), ran.message());
        assertEquals("", ran.out());
    }

    @Test
    void theModelHasNoTimes() {
        String log = "file:" + directory.resolve("model");
        Ran.line("record --guest ssbd-per-task --log " + log).expect(ExitCode.DONE);
        Ran ran = Ran.line("stat last --interval 1s --log " + log).expect(ExitCode.BAD_INPUT);
        assertTrue(
                ran.message().endsWith(" is the model's, whose ticks are no times: no --interval"),
                ran.message());
        JsonNode stat =
                Ran.line("stat last --format json --log " + log).expect(ExitCode.DONE).json();
        assertFalse(stat.has("unit"));
        assertFalse(stat.at("/byReason/0").has("mean"));
    }

    @Test
    void recordedSessionsAreNoTrace() {
        Path log = directory.resolve("sessions");
        Ran.line("record --guest ssbd-per-task --log file:" + log).expect(ExitCode.DONE);
        String name =
                Ran.line("sessions --format json --log file:" + log)
                        .json()
                        .at("/sessions/0/session")
                        .textValue();
        Path file = log.resolve(name + ".avro");
        Ran ran = stat(file).expect(ExitCode.BAD_INPUT);
        assertEquals(
                "%s: expected a trace, found recorded sessions: 'stat last --log file:%s' counts them"
                        .formatted(file, file),
                ran.message());
    }
}

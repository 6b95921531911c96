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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `import` keeps what a trace tells, and says what it does not.
class ImportCommandTest {

    private static final Path TRACES =
            Path.of("../recorder/src/test/resources/trapline/traces").toAbsolutePath();

    @TempDir Path folder;

    private Ran on(String line) {
        return Ran.line(line + " --log file:" + folder.resolve("log"));
    }

    private Path trace(String... lines) throws IOException {
        return Files.writeString(folder.resolve("trace.txt"), String.join("\n", lines) + "\n");
    }

    /// `zcat FILE | grep -c ' EVENT:'`
    @Test
    void aBootThatAHostTraced() {
        JsonNode tree =
                on("import --format json " + TRACES.resolve("linux-6.1-boot.kvm.ftrace.txt.gz"))
                        .expect(ExitCode.DONE)
                        .json();
        assertEquals(41_096, tree.get("lines").asLong());
        assertEquals(
                """
                {"kvm_apic":124,"kvm_cpuid":850,"kvm_inj_exception":5,"kvm_mmio":655,"kvm_msr":179,\
                "kvm_pio":19693,"kvm_userspace_exit":19578}\
                """,
                tree.get("parsed").toString());
        assertEquals("{}", tree.get("skipped").toString());
        assertEquals(0, tree.get("malformed").asLong());
        assertEquals(0, tree.get("gaps").asLong());
        // 41,084 lines, the trace's beginning and its one thread.
        assertEquals(41_086, tree.at("/sessions/0/events").asLong());
        assertEquals("closed", tree.at("/sessions/0/status").asText());
        JsonNode listed = on("sessions --format json").json().at("/sessions/0");
        assertTrue(listed.get("imported").asBoolean());
        assertEquals(41_086, listed.get("events").asLong());
        assertTrue(on("sessions").out().contains("imported"));
    }

    @Test
    void whatIsNotOfKvmIsCountedAndNamed() {
        Ran ran =
                on("import " + TRACES.resolve("msr-filter-vmm.kvm.ftrace.txt.gz"))
                        .expect(ExitCode.DONE);
        assertTrue(
                ran.err()
                        .contains(
                                "895 lines, 864 events read, 19 others left out"
                                        + " (kvm_track_tsc 6, kvm_update_master_clock 13)"),
                ran.toString());
        assertTrue(ran.err().contains("numbered by thread id"), ran.toString());
    }

    @Test
    void everyEventCanBeAskedFor() throws IOException {
        trace(
                "qemu-50 [003] d..1 10.000001: kvm_entry: vcpu 1, rip 0x1000",
                "qemu-50 [003] d..1 10.000005: kvm_exit: vcpu 1 reason MSR_WRITE rip 0x1004 info1"
                        + " 0x0000000000000000 info2 0x0000000000000000 intr_info 0x00000000 error_code"
                        + " 0x00000000",
                "qemu-50 [003] .... 10.000007: kvm_msr: msr_write 48 = 0x1");
        on("import " + folder.resolve("trace.txt")).expect(ExitCode.DONE);
        List<JsonNode> rows =
                on("events last --format json --where event.msr==\"IA32_SPEC_CTRL\"").rows();
        assertEquals(
                """
                {"order":5,"vcpu":1,"seq":3,"pcpu":3,"scope":"vcpu","tick":0,"op":0,"cause":4,\
                "type":"TracepointHit","event":{"time":10000007000,"thread":50,"point":"kvm_msr",\
                "write":true,"msr":"IA32_SPEC_CTRL","value":"0x1","fault":false}}\
                """,
                rows.getFirst().toString());
        assertEquals(1, rows.size());
        assertEquals(
                "MSR_WRITE",
                on("events last --format json --where event.point==\"kvm_exit\"")
                        .rows()
                        .getFirst()
                        .at("/event/reason")
                        .asText());
    }

    @Test
    void aLineThatCannotBeReadIsShownAndStrictFails() throws IOException {
        trace(
                "qemu-50 [003] d..1 10.000001: kvm_entry: vcpu 1, rip 0x1000",
                "qemu-50 [003] .... 10.000007: kvm_msr: msr_write 48 = ");
        Ran ran = on("import " + folder.resolve("trace.txt")).expect(ExitCode.DONE);
        assertTrue(ran.err().contains("1 line could not be read:\n  line 2: "), ran.toString());
        on("import --strict " + folder.resolve("trace.txt")).expect(ExitCode.BAD_INPUT);
    }

    @Test
    void whatWasLostBeforeTheFirstEventIsAGapToo() throws IOException {
        trace(
                "CPU:0 [LOST 1234 EVENTS]",
                "qemu-50 [003] d..1 10.000001: kvm_entry: vcpu 0, rip 0x1000",
                "CPU:7 [LOST 5 EVENTS]");
        JsonNode tree = on("import --format json " + folder.resolve("trace.txt")).json();
        assertEquals(2, tree.at("/sessions/0/gaps").asInt());
        List<JsonNode> lost = on("events last --type EventsLost --format json").rows();
        assertEquals("10000001000", lost.getFirst().at("/event/time").asText());
        assertEquals("10000001000", lost.getLast().at("/event/time").asText());
        assertEquals(7, lost.getLast().get("pcpu").asInt());
    }

    private void twoVms() throws IOException {
        List<String> lines = new ArrayList<>();
        for (int thread : new int[] {50, 51, 90}) {
            lines.add("qemu-%d [000] d..1 1.0: kvm_entry: vcpu %d".formatted(thread, thread % 10));
        }
        trace(lines.toArray(String[]::new));
    }

    @Test
    void severalVmsAreSeveralSessionsOrTheOneAskedFor() throws IOException {
        twoVms();
        assertTrue(
                on("import " + folder.resolve("trace.txt"))
                        .err()
                        .contains("VMs are told apart by thread ids"));
        JsonNode all = on("import --format json " + folder.resolve("trace.txt")).json();
        assertEquals(2, all.get("sessions").size());
        assertEquals(
                """
                [{"process":null,"threads":[50,51],"vcpus":2},\
                {"process":null,"threads":[90],"vcpus":1}]\
                """,
                all.get("vms").toString());
        JsonNode one = on("import --format json --pid 51 " + folder.resolve("trace.txt")).json();
        assertEquals(1, one.get("sessions").size());
        assertEquals(2, one.at("/sessions/0/vcpus").asInt());
        assertEquals(
                on("import --format json --vm 2 " + folder.resolve("trace.txt"))
                        .json()
                        .at("/sessions/0/events")
                        .asInt(),
                3);
    }

    @Test
    void aVmThatIsNotThereIsSaid() throws IOException {
        twoVms();
        Ran ran = on("import --vm 3 " + folder.resolve("trace.txt")).expect(ExitCode.BAD_INPUT);
        assertEquals(
                folder.resolve("trace.txt")
                        + ": no VM 3 in the trace; it has VM 1: vCPU threads 50, 51; VM 2: vCPU"
                        + " thread 90",
                ran.message());
    }

    @Test
    void aFileThatIsNoTraceMakesNoSession() throws IOException {
        trace("lorem ipsum", "dolor sit amet");
        Ran ran = on("import " + folder.resolve("trace.txt")).expect(ExitCode.BAD_INPUT);
        assertFalse(ran.message().isEmpty());
        assertFalse(Files.exists(folder.resolve("log")));
    }

    @Test
    void aSessionOfOursComesBackAsItWas() {
        String session =
                on("record --guest ssbd-per-task --format json").json().get("session").asText();
        Path file = folder.resolve("mailed.avro");
        on("export " + session + " --to avro --out " + file).expect(ExitCode.DONE);
        String other = " --log file:" + folder.resolve("other");
        assertEquals(session + "\n", Ran.line("import " + file + other).out());
        Ran.line("verify " + session + other).expect(ExitCode.DONE);
        assertEquals(
                file
                        + ": session "
                        + session
                        + " is in file:"
                        + folder.resolve("other")
                        + " already",
                Ran.line("import " + file + other).expect(ExitCode.BAD_INPUT).message());
    }
}

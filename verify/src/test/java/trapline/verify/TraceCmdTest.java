package trapline.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import trapline.engine.event.ObservedEvent.MsrLogged;
import trapline.engine.event.ObservedEvent.TraceClock;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;
import trapline.recorder.trace.TraceFormat;
import trapline.recorder.trace.TraceReader;
import trapline.recorder.trace.TraceSink;
import trapline.recorder.trace.TraceSummary;

/// What the real trace-cmd prints of a recording whose events we know, is read as those events.
class TraceCmdTest {

    @BeforeAll
    static void toolIsThere() {
        boolean found = runs();
        if (!found) {
            System.out.println("TraceCmdTest is skipped, trace-cmd is not installed");
        }
        Assumptions.assumeTrue(found, "trace-cmd is not installed");
    }

    private static boolean runs() {
        try {
            return new ProcessBuilder("trace-cmd", "report", "-h")
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    >= 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static Path recording(Path folder) throws IOException {
        TraceDat recording = new TraceDat(2);
        recording.task(4000, "CPU 0/KVM");
        recording.task(4001, "CPU 1/KVM");
        recording.exit(
                0, 1_000_000_001_000L, 4000, 0, 1, 32, 0xffff_ffff_8100_0000L, 0, 0x8000_00fdL);
        recording.msr(0, 1_000_000_002_000L, 4000, true, 0x6e0, 0x1234, false);
        recording.entry(0, 1_000_000_003_000L, 4000, 0, 0xffff_ffff_8100_0002L);
        recording.exit(1, 1_000_000_004_000L, 4001, 1, 2, 0x7c, 0x10, 1, 0);
        recording.msr(1, 1_000_000_005_000L, 4001, false, 0x3a, 0, true);
        recording.lose(1, 12);
        recording.exit(1, 1_000_000_006_000L, 4001, 1, 1, 0x8000_0021L, 0x10, 1, 2);
        recording.exit(1, 1_000_000_007_000L, 4001, 1, 1, 74, 0x10, 0, 0);
        recording.pio(1, 1_000_000_008_000L, 4001, true, 0x3f8, 0x41);
        Path file = folder.resolve("trace.dat");
        recording.write(file);
        return file;
    }

    /// The lines that trace-cmd prints, as facts.
    private static final class Told implements TraceSink {
        private final List<String> lines = new ArrayList<>();
        private TraceSummary summary;

        @Override
        public void opened(TraceFormat format, TraceClock clock) {
            lines.add(format.text() + " " + clock);
        }

        @Override
        public void thread(int thread, int process, String name) {
            lines.add(thread + " is " + name);
        }

        @Override
        public void hit(int cpu, int thread, long time, Tracepoint point, TraceFields fields) {
            StringBuilder line =
                    new StringBuilder(
                            "%d %d %d %s".formatted(cpu, thread, time / 1000, point.text()));
            for (int i = 0; i < point.fields().size(); i++) {
                if (fields.has(i)) {
                    line.append(' ').append(point.fields().get(i)).append('=');
                    line.append(Long.toHexString(fields.value(i, 0)));
                }
            }
            lines.add(line.toString());
        }

        @Override
        public void msr(int vcpu, MsrLogged logged) {
            lines.add(logged.toString());
        }

        @Override
        public void lost(int cpu, long time, long count) {
            lines.add("%d lost %d".formatted(cpu, count));
        }
    }

    private static Told report(Path folder, String... options) throws Exception {
        List<String> command = new ArrayList<>(List.of("trace-cmd", "report"));
        command.addAll(List.of(options));
        command.add(recording(folder).toString());
        Process process =
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        byte[] text = process.getInputStream().readAllBytes();
        assertEquals(0, process.waitFor());
        Told told = new Told();
        told.summary = TraceReader.of(new ByteArrayInputStream(text), "report").read(told);
        assertEquals(List.of(), told.summary.first());
        assertEquals(
                Map.of("kvm_exit", 4L, "kvm_entry", 1L, "kvm_msr", 2L, "kvm_pio", 1L),
                told.summary.parsed());
        return told;
    }

    private static final String EXACT =
            """
            trace-cmd report NANOSECONDS
            4000 is CPU 0/KVM
            0 4000 1000000001 kvm_exit vcpu=0 isa=1 reason=20 rip=ffffffff81000000 info1=0 info2=800000fd intrInfo=0 errorCode=0
            0 4000 1000000002 kvm_msr write=1 msr=6e0 value=1234 fault=0
            0 4000 1000000003 kvm_entry vcpu=0 rip=ffffffff81000002
            4001 is CPU 1/KVM
            1 4001 1000000004 kvm_exit vcpu=1 isa=2 reason=7c rip=10 info1=1 info2=0 intrInfo=0 errorCode=0
            1 4001 1000000005 kvm_msr write=0 msr=3a value=0 fault=1
            1 lost 12
            1 4001 1000000006 kvm_exit vcpu=1 isa=1 reason=80000021 rip=10 info1=1 info2=2 intrInfo=0 errorCode=0
            1 4001 1000000007 kvm_exit vcpu=1 reason=4a rip=10 info1=0 info2=0 intrInfo=0 errorCode=0
            1 4001 1000000008 kvm_pio write=1 port=3f8 size=1 count=1 value=41
            """;

    /// `-N`: as the kernel's own format says it.
    @Test
    void theKernelsTextsAreRead(@TempDir Path folder) throws Exception {
        assertEquals(EXACT.lines().toList(), report(folder, "-N").lines);
    }

    /// `-l`: CPU and flags in one word, names cut to eight letters.
    @Test
    void theLatencyFormatIsRead(@TempDir Path folder) throws Exception {
        assertEquals(
                EXACT.replace("/KVM\n", "/KV\n").lines().toList(),
                report(folder, "-N", "-l").lines);
    }

    @Test
    void nanosecondsAreRead(@TempDir Path folder) throws Exception {
        assertEquals(EXACT.lines().toList(), report(folder, "-N", "-t").lines);
    }

    /// trace-cmd's plugin leaves out vCPU and interrupt, and knows fewer names: from a number no vendor follows.
    @Test
    void thePluginsTextsAreRead(@TempDir Path folder) throws Exception {
        assertEquals(
                EXACT.replaceAll(" intrInfo=0 errorCode=0", "")
                        .replaceAll("kvm_exit vcpu=\\d ", "kvm_exit ")
                        .replace("isa=1 reason=80000021", "reason=80000021")
                        .lines()
                        .toList(),
                report(folder).lines);
    }
}

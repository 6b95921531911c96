package trapline.recorder.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import trapline.engine.event.ObservedEvent.MsrLogged;
import trapline.engine.event.ObservedEvent.TraceClock;
import trapline.engine.event.TraceFields;
import trapline.engine.event.Tracepoint;
import trapline.engine.text.InputException;
import trapline.recorder.trace.TraceSummary.Malformed;

/// What is no trace, or a broken one: nothing is dropped in silence, and nothing grows with it.
class BadTracesTest {

    private static final String LOAD = " a-1 [003] ..... 1.000000: kvm_fpu: load\n";

    private static String refused(byte[] trace) {
        return assertThrows(InputException.class, () -> Seen.of(trace)).getMessage();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static byte[] gzip(byte[] plain) throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (OutputStream out = new GZIPOutputStream(packed)) {
            out.write(plain);
        }
        return packed.toByteArray();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "17 08 44 74 72 61 63 69 6e 67 36 00~a trace.dat of trace-cmd; make text of it: trace-cmd report trace.txt | trapline import -",
                "50 45 52 46 49 4c 45 32 68 00 00 00~a perf.data of perf; make text of it: perf script -i trace.txt | trapline import -",
                "fd 37 7a 58 5a 00 00 04 e6 d6 b4 46~xz data; make text of it: xz -dc trace.txt | trapline import -",
                "7f 45 4c 46 02 01 01 00 00 00 00 00~an ELF file",
                "4f 62 6a 01 04 16 61 76 72 6f 2e 63~a container of recorded sessions; import it by its file's name",
                "31 32 33 34 35 36 37 38 39 00 31 32~binary data",
            })
    void binaryFilesAreRefusedWithWhatMakesTextOfThem(String hex, String found) {
        byte[] head = new byte[12];
        String[] cells = hex.split(" ");
        for (int i = 0; i < head.length; i++) {
            head[i] = (byte) Integer.parseInt(cells[i], 16);
        }
        assertEquals("trace.txt: expected the text of a trace, found " + found, refused(head));
    }

    @Test
    void compressedBinaryFilesAreRefusedToo() throws IOException {
        assertEquals(
                "trace.txt: expected the text of a trace, found an ELF file",
                refused(gzip(bytes("\u007fELF\2\1\1"))));
        assertEquals(
                "trace.txt: expected the text of a trace, found data that was compressed twice;"
                        + " decompress it once",
                refused(gzip(gzip(bytes(LOAD)))));
    }

    @Test
    void aTraceWithoutEventsOfKvmIsRefused() {
        assertEquals("trace.txt: no kvm: event in 0 lines", refused(new byte[0]));
        assertEquals(
                "trace.txt: no kvm: event in 2 lines; most frequent is sched_switch, 2 times",
                refused(
                        bytes(
                                " a-1 [003] ..... 1.0: sched_switch: a\n b-1 [003] ..... 1.0: sched_switch: a\n")));
        assertEquals(
                "trace.txt: no kvm: event in 1 lines; line 1: expected TASK-PID [CPU] TIME: EVENT:, found"
                        + " 'Dear all,'",
                refused(bytes("Dear all,\n")));
    }

    @Test
    void linesThatShouldBeEventsAreCountedAndShown() {
        Seen seen =
                Seen.of(
                        """
                         a-1 [003] ..... 1.000000: kvm_fpu: load
                         a-1 [003] ..... 1.0000
                         a-1 [003] ..... 1.000001: kvm_exit: vcpu 0 reason MSR_WR
                         a-1 [003] ..... 1.000001: kvm_e
                         a-1 [00
                         a-1 [003] ..... 1.000002: kvm_msr: msr_write 6e0 = 0x1 again
                         a-1 [003] ..... 1.000003: kvm_fpu: unload
                        """);
        assertEquals(2, seen.hits.size());
        assertEquals(5, seen.summary.malformed());
        assertEquals(
                List.of(
                        new Malformed(
                                2,
                                "expected TASK-PID [CPU] TIME: EVENT:, found ' a-1 [003] ..... 1.0000'",
                                " a-1 [003] ..... 1.0000"),
                        new Malformed(
                                3,
                                "expected an exit reason, found 'MSR_WR'",
                                " a-1 [003] ..... 1.000001: kvm_exit: vcpu 0 reason MSR_WR"),
                        new Malformed(
                                4,
                                "expected EVENT:, found 'kvm_e'",
                                " a-1 [003] ..... 1.000001: kvm_e"),
                        new Malformed(
                                5,
                                "expected TASK-PID [CPU] TIME: EVENT:, found ' a-1 [00'",
                                " a-1 [00"),
                        new Malformed(
                                6,
                                "expected another text, found ' again'",
                                " a-1 [003] ..... 1.000002: kvm_msr: msr_write 6e0 = 0x1 again")),
                seen.summary.first());
    }

    @Test
    void onlyTheFirstFewAreShown() {
        Seen seen = Seen.of(LOAD + "nothing\n".repeat(1_000));
        assertEquals(1_000, seen.summary.malformed());
        assertEquals(5, seen.summary.first().size());
    }

    @Test
    void unknownReasonsStayByNumber() {
        Seen seen =
                Seen.of(" a-1 [003] ..... 1.0: kvm_exit: vcpu 0 reason 0x5f rip 0x1 info 0 0\n");
        assertEquals(
                "kvm_exit vcpu=0x0 reason=0x5f rip=0x1 info1=0x0 info2=0x0",
                seen.hits.getFirst().text());
    }

    @Test
    void eventsOfAnotherClockAreCountedAndShown() {
        Seen seen = Seen.of(LOAD + " a-1 [003] ..... 701324567: kvm_fpu: load\n");
        assertEquals(1, seen.hits.size());
        assertEquals(
                List.of(
                        new Malformed(
                                2,
                                "expected a time in seconds as before, found a count",
                                " a-1 [003] ..... 701324567: kvm_fpu: load")),
                seen.summary.first());
        assertEquals(
                List.of(
                        "1 event counts time by another clock than the first: import that part"
                                + " alone"),
                seen.summary.remarks());
    }

    @Test
    void timeThatRunsBackwardsIsSaid() {
        Seen seen =
                Seen.of(
                        """
                         a-1 [003] ..... 2.000000: kvm_fpu: load
                         a-1 [002] ..... 1.000000: kvm_fpu: load
                         a-1 [003] ..... 1.500000: kvm_fpu: load
                         a-1 [003] ..... 1.600000: kvm_fpu: load
                        """);
        assertEquals(4, seen.hits.size());
        assertEquals(
                List.of("time runs backwards on its CPU at 1 line, first at line 3"),
                seen.summary.remarks());
    }

    @Test
    void overwrittenEntriesAreSaid() {
        Seen seen =
                Seen.of(
                        "# tracer: nop\n# entries-in-buffer/entries-written: 1/400   #P:2\n"
                                + LOAD);
        assertEquals(
                List.of("399 entries were overwritten before the trace was read"),
                seen.summary.remarks());
    }

    /// A line of 1 MB is one line, whatever the blocks in which it is read.
    @Test
    void aLongLineIsCountedAndLeftOut() {
        String line = " a-1 [003] ..... 1.000000: kvm_fpu: " + "x".repeat(1 << 20) + "\n";
        Seen seen = Seen.of(LOAD + line + LOAD);
        assertEquals(2, seen.hits.size());
        assertEquals(3, seen.summary.lines());
        assertEquals(
                List.of(
                        new Malformed(
                                2,
                                "expected a line of at most 65536 bytes, found more",
                                " a-1 [003] ..... 1.000000: kvm_fpu: " + "x".repeat(64) + "…")),
                seen.summary.first());
    }

    @Test
    void namesThatAreNotTextAreEscaped() {
        Seen seen = new Seen();
        byte[] trace = bytes(" a\u00ff\u001b[b-1 [003] ..... 1.000000: kvm_fpu: load\n");
        TraceReader.of(new ByteArrayInputStream(trace), "trace.txt").read(seen);
        assertEquals("a\\xff\\x1b[b", seen.threads.getFirst().command());
    }

    @Test
    void aLastLineWithoutItsEndIsSaid() {
        Seen seen = Seen.of(LOAD + LOAD.stripTrailing());
        assertEquals(2, seen.hits.size());
        assertEquals(
                List.of("the last line has no end: it may be cut short"), seen.summary.remarks());
    }

    @Test
    void whatWasReadOfCutGzipIsKept() throws IOException {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 20_000; i++) {
            text.append(
                    " a-1 [003] ..... %d.%06d: kvm_fpu: load\n".formatted(i, i * 7919 % 1_000_000));
        }
        byte[] packed = gzip(bytes(text.toString()));
        Seen seen = Seen.of(Arrays.copyOf(packed, packed.length / 2));
        int hits = seen.hits.size();
        assertTrue(hits > 1_000 && hits < 19_000, () -> hits + " of 20000");
        assertEquals(hits - 1, seen.hits.getLast().time() / 1_000_000_000);
        assertEquals(
                List.of(
                        "the compressed data is damaged or cut short after %d bytes: what was read before is kept"
                                .formatted(packed.length / 2)),
                seen.summary.remarks());
    }

    /// 600 MiB of one letter, gzip's best case: about a thousandth.
    @Test
    void aBombIsRefused() throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (OutputStream out = new GZIPOutputStream(packed)) {
            byte[] block = new byte[1 << 20];
            Arrays.fill(block, (byte) 'a');
            for (int i = 0; i < 600; i++) {
                out.write(block);
            }
        }
        assertEquals(
                "trace.txt: 0 MiB of compressed data became more than 256 MiB: more than 400-fold, which no"
                        + " trace does; decompress it yourself to import it all the same",
                refused(packed.toByteArray()));
    }

    @Test
    void aFileThatIsNotThereIsNamed(@TempDir Path folder) {
        String file = folder.resolve("gone.txt").toString();
        assertEquals(
                file + ": no such file",
                assertThrows(InputException.class, () -> TraceReader.of(file)).getMessage());
        assertEquals(
                folder + ": expected a file, found a folder",
                assertThrows(InputException.class, () -> TraceReader.of(folder.toString()))
                        .getMessage());
    }

    @Test
    void containersAreToldFromTraces(@TempDir Path folder) throws IOException {
        Path container = Files.write(folder.resolve("s.avro"), bytes("Obj\1rest"));
        Path trace = Files.write(folder.resolve("t.txt"), bytes(LOAD));
        assertTrue(TraceReader.isContainer(container));
        assertFalse(TraceReader.isContainer(trace));
    }

    /// Hands hits over as they come, each with its time.
    private static final class Live implements TraceSink {
        private final BlockingQueue<Long> times = new LinkedBlockingQueue<>();

        @Override
        public void opened(TraceFormat format, TraceClock clock) {}

        @Override
        public void thread(int thread, int process, String name) {}

        @Override
        public void hit(int cpu, int thread, long time, Tracepoint point, TraceFields fields) {
            times.add(time);
        }

        @Override
        public void msr(int vcpu, MsrLogged logged) {}

        @Override
        public void lost(int cpu, long time, long count) {}

        long next() throws InterruptedException {
            Long time = times.poll(30, TimeUnit.SECONDS);
            return time == null ? -1 : time;
        }
    }

    @Test
    void aPipeThatIsFollowedGivesEachLineAtOnce() throws Exception {
        Live live = new Live();
        try (PipedOutputStream out = new PipedOutputStream();
                InputStream in = new PipedInputStream(out)) {
            TraceReader reader = TraceReader.of(in, "-").following();
            TraceSummary[] summary = new TraceSummary[1];
            Thread thread = Thread.startVirtualThread(() -> summary[0] = reader.read(live));
            out.write(bytes(LOAD));
            out.flush();
            assertEquals(1_000_000_000L, live.next());
            out.write(bytes(LOAD.replace("1.0", "2.0") + " a-1 [003] ..... 3.0"));
            out.flush();
            assertEquals(2_000_000_000L, live.next());
            reader.stop();
            thread.join();
            assertEquals(2, summary[0].lines());
        }
    }

    @Test
    void aFileThatGrowsIsFollowedUntilItIsStopped(@TempDir Path folder) throws Exception {
        Path file = Files.write(folder.resolve("t.txt"), bytes(LOAD));
        Live live = new Live();
        TraceReader reader = TraceReader.of(file.toString()).following();
        TraceSummary[] summary = new TraceSummary[1];
        Thread thread = Thread.startVirtualThread(() -> summary[0] = reader.read(live));
        assertEquals(1_000_000_000L, live.next());
        Files.write(file, bytes(LOAD.replace("1.0", "2.0")), StandardOpenOption.APPEND);
        assertEquals(2_000_000_000L, live.next());
        reader.stop();
        thread.join();
        assertEquals(2, summary[0].lines());
    }
}

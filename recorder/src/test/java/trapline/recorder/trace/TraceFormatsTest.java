package trapline.recorder.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.github.luben.zstd.Zstd;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import trapline.engine.event.ObservedEvent.EventsLost;
import trapline.engine.event.ObservedEvent.ThreadSeen;
import trapline.engine.event.ObservedEvent.TraceClock;

/// What stands before an event, in every tool's way.
class TraceFormatsTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "   qemu-23298   [001] .....  1655.070506: kvm_fpu: load|ftrace|1|23298|0|qemu|1655070506000",
                "   qemu-23298   [001] ....  1655.070506: kvm_fpu: load|ftrace|1|23298|0|qemu|1655070506000",
                "   qemu-23298   [001] dNh2  1655.070506: kvm_fpu: load|ftrace|1|23298|0|qemu|1655070506000",
                "   qemu-23298   (  23290) [001] .....  1655.070506: kvm_fpu: load|ftrace|1|23298|23290|qemu|1655070506000",
                "   qemu-23298   (-------) [001] .....  1655.070506: kvm_fpu: load|ftrace|1|23298|0|qemu|1655070506000",
                "  <...>-23298   [001] .....  1655.070506: kvm_fpu: load|ftrace|1|23298|0|<...>|1655070506000",
                "CPU 0/KVM-82557 [127] d..1. 83184.290326: kvm_fpu: load|ftrace|127|82557|0|CPU 0/KVM|83184290326000",
                "a [1] b-c-7     [003] d..1. 1.5: kvm_fpu: load|ftrace|3|7|0|a [1] b-c|1500000000",
                " x[2]-8  [003] .....     3.000000001: kvm_fpu: load|ftrace|3|8|0|x[2]|3000000001",
                "CPU 0/KV-4000    0.....  1655.000001: kvm_fpu:             load|trace-cmd report|0|4000|0|CPU 0/KV|1655000001000",
                "qemu-sys-4000   12dNh2.  17us+: kvm_fpu: load|ftrace|12|4000|0|qemu-sys|17000",
                "qemu-sys-4000    0d..1.  17us : kvm_fpu: load|ftrace|0|4000|0|qemu-sys|17000",
                "  qemu-5949  [001]  2756.226753: kvm_fpu:              load|trace-cmd report|1|5949|0|qemu|2756226753000",
                "  qemu-5949  [001] d..1.  2756.226753: kvm_fpu:              load|trace-cmd report|1|5949|0|qemu|2756226753000",
                "kvmt2:  qemu-5949  [001]  2756.226753: kvm_fpu:              load|trace-cmd report|1|5949|0|qemu|2756226753000",
                " fc_vcpu 1  599500 [039] 1377662.550600: kvm:kvm_fpu: load|perf script|39|599500|0|fc_vcpu 1|1377662550600000",
                " CPU 0/KVM  599500/599512 [039] 1377662.550600123:        kvm:kvm_fpu: load|perf script|39|599512|599500|CPU 0/KVM|1377662550600123",
                " CPU 0/KVM  599512 [039] 1377662.550600:          1 kvm:kvm_fpu: load|perf script|39|599512|0|CPU 0/KVM|1377662550600000",
            })
    void linesOfEachToolAreRead(
            String line, String format, int cpu, int thread, int process, String name, long time) {
        Seen seen = Seen.of(line + "\n");
        assertEquals(List.of(), seen.summary.first());
        assertEquals(format, seen.format.text());
        assertEquals(List.of(new ThreadSeen(thread, process, name)), seen.threads);
        Seen.Hit hit = seen.hits.getFirst();
        assertEquals(
                List.of(cpu, thread, time, "kvm_fpu load=0x1"),
                List.of(hit.cpu(), hit.thread(), hit.time(), hit.text()));
    }

    @Test
    void aClockThatCountsGivesCounts() {
        Seen seen = Seen.of(" qemu-1 [001] ..... 7013245670123: kvm_fpu: load\n");
        assertEquals(TraceClock.COUNTS, seen.clock);
        assertEquals(7_013_245_670_123L, seen.hits.getFirst().time());
    }

    /// As ftrace, trace-cmd and perf say it.
    @Test
    void lostEventsAreGaps() {
        Seen seen =
                Seen.of(
                        """
                        cpus=4
                         a-1 [003] ..... 1.000000: kvm_fpu: load
                        CPU:3 [LOST 12 EVENTS]
                        CPU:3 [LOST EVENTS]
                        CPU:2 [204600 EVENTS DROPPED]
                        CPU 3 [7 EVENTS DROPPED]
                        [5 EVENTS DROPPED]
                         a 1 [003] 2.000000: PERF_RECORD_LOST lost 34
                        LOST 56 events!
                        Processed 10 events and lost 78 chunks!
                         a-1 [003] ..... 3.000000: kvm_fpu: load
                        """);
        assertEquals(TraceFormat.TRACE_CMD, seen.format);
        assertEquals(
                List.of(
                        new Seen.Lost(3, new EventsLost(1_000_000_000L, 12)),
                        new Seen.Lost(3, new EventsLost(1_000_000_000L, 0)),
                        new Seen.Lost(2, new EventsLost(1_000_000_000L, 204_600)),
                        new Seen.Lost(3, new EventsLost(1_000_000_000L, 7)),
                        new Seen.Lost(-1, new EventsLost(1_000_000_000L, 5)),
                        new Seen.Lost(3, new EventsLost(1_000_000_000L, 34)),
                        new Seen.Lost(-1, new EventsLost(1_000_000_000L, 56)),
                        new Seen.Lost(-1, new EventsLost(1_000_000_000L, 78))),
                seen.lost);
        assertEquals(8, seen.summary.gaps());
        assertEquals(12 + 204_600 + 7 + 5 + 34 + 56 + 78, seen.summary.lost());
        assertEquals(0, seen.summary.malformed());
    }

    @Test
    void otherEventsAreCountedByName() {
        Seen seen =
                Seen.of(
                        """
                        # tracer: nop
                         a-1 [003] ..... 1.000000: kvm_fpu: load
                         a-1 [003] ..... 1.000001: kvm_fpu: unload
                         a-1 [003] d..2. 1.000002: sched_switch: prev_comm=a prev_pid=1
                         a-1 [003] d..2. 1.000003: <stack trace>
                         => __schedule
                         => schedule
                         a-1 [003] d..2. 1.000004: schedule <-kvm_vcpu_block
                         1)   0.125 us    |  kvm_vcpu_block();

                         a 1 [003] 1.000005:     250 cycles:  ffffffff8105 vmx_vcpu_run+0x1 ([kernel.kallsyms])
                        \tffffffff81057b2c vmx_vcpu_run+0x1 ([kernel.kallsyms])
                        CPU 2 is empty
                        """);
        assertEquals(Map.of("kvm_fpu", 2L), seen.summary.parsed());
        assertEquals(
                Map.of(
                        "sched_switch", 1L,
                        "cycles", 1L,
                        "(function)", 1L,
                        "(function graph)", 1L,
                        "(call chain)", 4L),
                seen.summary.skipped());
        assertEquals(List.of(), seen.summary.first());
        assertEquals(13, seen.summary.lines());
    }

    @Test
    void aThreadIsToldOfWhenItAppearsAndWhenItsNameChanges() {
        Seen seen =
                Seen.of(
                        """
                         <...>-7 [003] ..... 1.000000: kvm_fpu: load
                         qemu-7 [003] ..... 1.000001: kvm_fpu: load
                         <...>-7 [003] ..... 1.000002: kvm_fpu: load
                         qemu-8 [002] ..... 1.000002: kvm_fpu: load
                         CPU 0/KVM-7 [003] ..... 1.000003: kvm_fpu: load
                        """);
        assertEquals(
                List.of(
                        new ThreadSeen(7, 0, "<...>"),
                        new ThreadSeen(7, 0, "qemu"),
                        new ThreadSeen(8, 0, "qemu"),
                        new ThreadSeen(7, 0, "CPU 0/KVM")),
                seen.threads);
        assertEquals(5, seen.hits.size());
    }

    @Test
    void zstdIsReadLikePlainText() {
        byte[] plain =
                " a-1 [003] ..... 1.000000: kvm_fpu: load\n".getBytes(StandardCharsets.UTF_8);
        assertEquals(Seen.of(plain).hits, Seen.of(Zstd.compress(plain)).hits);
    }

    @Test
    void windowsLineEndsAreLineEnds() {
        Seen seen = Seen.of(" a-1 [003] ..... 1.000000: kvm_fpu: load\r\n");
        assertEquals("kvm_fpu load=0x1", seen.hits.getFirst().text());
    }
}

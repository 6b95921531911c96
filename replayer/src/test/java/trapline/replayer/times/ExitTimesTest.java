package trapline.replayer.times;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static trapline.replayer.times.Observed.EPT_MISCONFIG;
import static trapline.replayer.times.Observed.EXTERNAL_INTERRUPT;
import static trapline.replayer.times.Observed.HLT;
import static trapline.replayer.times.Observed.IO_INSTRUCTION;
import static trapline.replayer.times.Observed.MSR_WRITE;

import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import trapline.engine.event.ObservedEvent.MsrLogged;
import trapline.engine.event.ObservedEvent.TraceClock;
import trapline.engine.event.Tracepoint;
import trapline.engine.state.Vendor;
import trapline.replayer.ReplayException;
import trapline.replayer.Where;
import trapline.replayer.times.Rows.Order;
import trapline.replayer.times.Windows.Window;

/// Traces whose durations are known beforehand.
class ExitTimesTest {

    private static final Set<Dimension> ALL = EnumSet.allOf(Dimension.class);

    private static ExitTimes times(Look look, Consumer<Observed> trace) {
        ExitTimes times = new ExitTimes(look, Vendor.VMX);
        trace.accept(new Observed(times::add));
        times.finish();
        return times;
    }

    private static ExitTimes times(Consumer<Observed> trace) {
        return times(Look.at(ALL), trace);
    }

    private static List<String> texts(ExitTimes times, Dimension dimension, Order order) {
        return times.rows(dimension, order).stream().map(row -> row.subject().text()).toList();
    }

    private static Row only(ExitTimes times, Dimension dimension) {
        List<Row> rows = times.rows(dimension, Order.COUNT);
        assertEquals(1, rows.size(), rows.toString());
        return rows.getFirst();
    }

    /// 1000, 2000, … 10000 in another order: their mean is 5500, the sum of squares off it 82.5 million.
    @Test
    void tenDurationsByHand() {
        long[] durations = {7000, 1000, 10_000, 3000, 5000, 2000, 9000, 4000, 8000, 6000};
        ExitTimes times =
                times(trace -> {
                    for (int i = 0; i < durations.length; i++) {
                        trace.exit(0, 100_000L * i, MSR_WRITE, durations[i]);
                    }
                });
        Row row = only(times, Dimension.REASON);
        assertEquals("MSR_WRITE", row.subject().text());
        assertEquals(10, row.count());
        assertEquals(1.0, row.share());
        Spread all = row.all();
        assertEquals(10, all.count());
        assertEquals(55_000, all.sum());
        assertEquals(1000, all.min());
        assertEquals(5500, all.mean());
        assertEquals(Math.sqrt(82_500_000 / 9.0), all.deviation(), 1e-6);
        assertEquals(5000, all.p50());
        assertEquals(10_000, all.p95());
        assertEquals(10_000, all.p99());
        assertEquals(10_000, all.max());
        assertEquals(904_000 + 2000, times.span());
    }

    /// Of 1 to 1000 us, p50 is 500 us, to three digits.
    @Test
    void aThousandDurationsToThreeDigits() {
        ExitTimes times =
                times(trace -> {
                    for (int i = 1; i <= 1000; i++) {
                        trace.exit(0, 10_000_000L * i, HLT, 1000L * i);
                    }
                });
        Spread all = only(times, Dimension.REASON).all();
        assertEquals(500_000, (double) all.p50(), 500);
        assertEquals(950_000, (double) all.p95(), 950);
        assertEquals(990_000, (double) all.p99(), 990);
        assertEquals(1_000_000, all.max());
        assertEquals(1000, all.min());
        assertEquals(500_500, all.mean());
    }

    @Test
    void sharesAndOrders() {
        ExitTimes times =
                times(trace ->
                        trace.exit(0, 0, HLT, 900)
                                .exit(0, 1000, MSR_WRITE, 20)
                                .exit(0, 2000, MSR_WRITE, 60)
                                .exit(0, 3000, MSR_WRITE, 20));
        Row writes = times.rows(Dimension.REASON, Order.COUNT).getFirst();
        assertEquals(0.75, writes.share());
        assertEquals(0.1, writes.timeShare());
        assertEquals(List.of("MSR_WRITE", "HLT"), texts(times, Dimension.REASON, Order.COUNT));
        assertEquals(List.of("HLT", "MSR_WRITE"), texts(times, Dimension.REASON, Order.TIME));
        assertEquals(List.of("HLT", "MSR_WRITE"), texts(times, Dimension.REASON, Order.NAME));
        assertEquals(List.of("HLT", "MSR_WRITE"), texts(times, Dimension.REASON, Order.P99));
    }

    /// msr from kvm_msr to the entry, as perf does; the exit itself from kvm_exit.
    @Test
    void anMsrIsTimedFromItsOwnEvent() {
        ExitTimes times =
                times(trace ->
                        trace.exit(0, 1000, MSR_WRITE)
                                .hit(0, 1300, Tracepoint.KVM_MSR, "write", 1L, "msr", 0x6e0L)
                                .entry(0, 1700));
        Row msr = only(times, Dimension.MSR);
        assertEquals("0x6e0:W  IA32_TSC_DEADLINE", msr.subject().text());
        assertEquals(400, msr.all().sum());
        assertEquals(700, only(times, Dimension.REASON).all().sum());
    }

    @Test
    void ofTwoAccessesInOneExitTheLastIsTimed() {
        ExitTimes times =
                times(trace ->
                        trace.exit(0, 1000, IO_INSTRUCTION)
                                .hit(0, 1100, Tracepoint.KVM_PIO, "write", 1L, "port", 0x3f8L)
                                .hit(0, 1200, Tracepoint.KVM_PIO, "write", 1L, "port", 0x3f8L)
                                .entry(0, 1500));
        Row port = only(times, Dimension.PORT);
        assertEquals("0x3f8:POUT", port.subject().text());
        assertEquals(2, port.count());
        assertEquals(1, port.all().count());
        assertEquals(300, port.all().sum());
    }

    /// A write to the entry, a read from the exit; an unsatisfied read is none yet.
    @Test
    void mmioIsTimedAsPerfDoes() {
        ExitTimes times =
                times(trace ->
                        trace.exit(0, 1000, EPT_MISCONFIG)
                                .hit(0, 1250, Tracepoint.KVM_MMIO, "type", 2L, "gpa", 0xfee0_00b0L)
                                .entry(0, 1400)
                                .exit(0, 2000, EPT_MISCONFIG)
                                .hit(0, 2010, Tracepoint.KVM_MMIO, "type", 0L, "gpa", 0xfee0_0030L)
                                .hit(0, 2600, Tracepoint.KVM_MMIO, "type", 1L, "gpa", 0xfee0_0030L)
                                .entry(0, 2700));
        List<Row> rows = times.rows(Dimension.MMIO, Order.NAME);
        assertEquals("0xfee00000:R", rows.get(0).subject().text());
        assertEquals(1, rows.get(0).count());
        assertEquals(600, rows.get(0).all().sum());
        assertEquals("0xfee00000:W", rows.get(1).subject().text());
        assertEquals(150, rows.get(1).all().sum());
    }

    @Test
    void userspaceAndHaltingAreToldApart() {
        ExitTimes times =
                times(trace ->
                        trace.exit(0, 1000, IO_INSTRUCTION)
                                .hit(0, 1200, Tracepoint.KVM_USERSPACE_EXIT, "reason", 2L)
                                .entry(0, 2000)
                                .exit(0, 3000, IO_INSTRUCTION, 50)
                                .exit(0, 4000, HLT)
                                .hit(0, 9000, Tracepoint.KVM_VCPU_WAKEUP, "ns", 4900L)
                                .entry(0, 9100));
        Row io = times.rows(Dimension.REASON, Order.COUNT).getFirst();
        assertEquals(2, io.all().count());
        assertEquals(1050, io.all().sum());
        assertEquals(1, io.userspaceExits());
        assertEquals(800, io.userspaceTime());
        assertEquals(1, io.inside().count());
        assertEquals(50, io.inside().max());
        Row halt = times.rows(Dimension.REASON, Order.COUNT).getLast();
        assertEquals(4900, halt.haltedTime());
        assertEquals(5100, halt.all().sum());
        assertEquals(0, halt.inside().count());
        assertEquals("KVM_EXIT_IO", only(times, Dimension.USERSPACE).subject().text());
        assertEquals(800, only(times, Dimension.USERSPACE).all().sum());
    }

    @Test
    void everyDimensionHasItsKey() {
        ExitTimes times =
                times(trace ->
                        trace.hit(
                                        1,
                                        10,
                                        Tracepoint.KVM_EXIT,
                                        "isa",
                                        Observed.VMX,
                                        "reason",
                                        EXTERNAL_INTERRUPT,
                                        "rip",
                                        0xffff_ffff_8100_0000L,
                                        "intrInfo",
                                        0x8000_00ecL)
                                .hit(1, 11, Tracepoint.KVM_INJ_VIRQ, "vector", 0x30L)
                                .hit(1, 12, Tracepoint.KVM_CR, "write", 1L, "cr", 3L)
                                .hit(1, 13, Tracepoint.KVM_HYPERCALL, "nr", 5L)
                                .entry(1, 20));
        assertEquals("0xffffffff81000000", only(times, Dimension.RIP).subject().text());
        assertEquals("CR3:W", only(times, Dimension.CR).subject().text());
        assertEquals(8, only(times, Dimension.CR).all().sum());
        assertEquals("0x5", only(times, Dimension.HYPERCALL).subject().text());
        assertEquals(7, only(times, Dimension.HYPERCALL).all().sum());
        assertEquals("1", only(times, Dimension.VCPU).subject().text());
        List<Row> vectors = times.rows(Dimension.VECTOR, Order.NAME);
        assertEquals("0x30  interrupt injected", vectors.get(0).subject().text());
        assertEquals("0xec  exit", vectors.get(1).subject().text());
        assertEquals(10, vectors.get(1).all().sum());
    }

    /// Up to 5.4 the interruption information is the second of two infos.
    @Test
    void aVectorOfAnOldKernel() {
        ExitTimes times =
                times(trace ->
                        trace.hit(
                                0,
                                10,
                                Tracepoint.KVM_EXIT,
                                "reason",
                                EXTERNAL_INTERRUPT,
                                "info1",
                                0L,
                                "info2",
                                0x8000_00fdL));
        assertEquals("0xfd  exit", only(times, Dimension.VECTOR).subject().text());
    }

    @Test
    void codesOfSvmHaveTheirNames() {
        ExitTimes times =
                times(trace ->
                        trace.hit(
                                0, 10, Tracepoint.KVM_EXIT, "isa", Observed.SVM, "reason", 0x7cL));
        assertEquals("msr", only(times, Dimension.REASON).subject().text());
        assertEquals(1, times.withoutEntry());
    }

    @Test
    void whatSpansLostEventsIsNotTimed() {
        ExitTimes times =
                times(trace ->
                        trace.exit(0, 100, HLT)
                                .exit(1, 110, HLT)
                                .lost(1, 150, 7)
                                .entry(0, 200)
                                .entry(1, 210)
                                .exit(1, 300, HLT, 40));
        assertEquals(1, times.gaps());
        assertEquals(7, times.lost());
        assertEquals(1, times.acrossGaps());
        Row row = only(times, Dimension.REASON);
        assertEquals(3, row.count());
        assertEquals(2, row.all().count());
        assertEquals(140, row.all().sum());
    }

    /// The entry happened on the CPU that lost events after the exit.
    @Test
    void aGapWhereTheVcpuMovedToCountsToo() {
        ExitTimes times =
                times(trace -> trace.exit(0, 100, HLT).lost(3, 150, 0).runsOn(0, 3).entry(0, 200));
        assertEquals(1, times.acrossGaps());
        assertEquals(0, only(times, Dimension.REASON).all().count());
    }

    @Test
    void anEndBeforeItsBeginIsSkipped() {
        ExitTimes times = times(trace -> trace.exit(0, 100, HLT).entry(0, 90));
        assertEquals(1, times.backwards());
        assertEquals(1, only(times, Dimension.REASON).count());
        assertEquals(0, only(times, Dimension.REASON).all().count());
    }

    @Test
    void exitsWithoutEntryAreCounted() {
        ExitTimes times =
                times(trace -> trace.exit(0, 100, HLT).exit(0, 200, HLT, 10).exit(0, 300, HLT));
        assertEquals(3, times.exits());
        assertEquals(2, times.withoutEntry());
        assertEquals(10, only(times, Dimension.REASON).all().sum());
    }

    /// Its thread has not told yet which vCPU it runs: that is not the one whose entry follows.
    @Test
    void anExitOfNoKnownVcpuIsCountedAndNotTimed() {
        ExitTimes times = times(trace -> trace.early(100, HLT).entry(0, 200).exit(0, 300, HLT, 7));
        assertEquals(2, times.exits());
        assertEquals(1, times.withoutEntry());
        assertEquals(7, only(times, Dimension.REASON).all().sum());
        assertEquals(List.of("0", "unknown"), texts(times, Dimension.VCPU, Order.NAME));
    }

    @Test
    void aTraceWithoutExitsStillHasItsAccesses() {
        ExitTimes times =
                times(trace ->
                        trace.hit(0, 5, Tracepoint.KVM_MSR, "write", 0L, "msr", 0x3aL)
                                .hit(0, 6, Tracepoint.KVM_MSR, "write", 0L, "msr", 0x3aL)
                                .event(0, new MsrLogged(7, true, 0xc000_0100, 1, 2, "")));
        assertFalse(times.sawExit());
        List<Row> rows = times.rows(Dimension.MSR, Order.COUNT);
        assertEquals("0x3a:R  IA32_FEAT_CTL", rows.get(0).subject().text());
        assertEquals(2, rows.get(0).count());
        assertEquals(0, rows.get(0).all().count());
        assertEquals("0xc0000100:W  FS_BASE", rows.get(1).subject().text());
    }

    @Test
    void aConditionIsAskedOfTheExit() {
        Look look =
                new Look(
                        ALL,
                        Optional.of(Where.of("event.reason == \"MSR_WRITE\" && vcpu == 1")),
                        OptionalInt.empty(),
                        0,
                        Set.of(),
                        false);
        ExitTimes times =
                times(
                        look,
                        trace ->
                                trace.exit(0, 100, MSR_WRITE)
                                        .hit(0, 110, Tracepoint.KVM_MSR, "write", 1L, "msr", 0x48L)
                                        .entry(0, 120)
                                        .exit(1, 200, MSR_WRITE)
                                        .hit(1, 210, Tracepoint.KVM_MSR, "write", 1L, "msr", 0x6e0L)
                                        .entry(1, 230)
                                        .exit(1, 300, HLT, 50));
        assertEquals(1, times.exits());
        assertEquals(30, only(times, Dimension.REASON).all().sum());
        assertEquals(20, only(times, Dimension.MSR).all().sum());
        assertEquals("1", only(times, Dimension.VCPU).subject().text());
    }

    @Test
    void oneVcpu() {
        Look look = new Look(ALL, Optional.empty(), OptionalInt.of(1), 0, Set.of(), false);
        ExitTimes times = times(look, trace -> trace.exit(0, 1, HLT, 5).exit(1, 10, HLT, 7));
        assertEquals(1, times.exits());
        assertEquals(7, only(times, Dimension.REASON).all().sum());
    }

    /// Of 100 ns each: an exit counts where it happened, its time where it ended.
    @Test
    void windows() {
        Set<Dimension> reasons = EnumSet.of(Dimension.REASON);
        Look look = new Look(reasons, Optional.empty(), OptionalInt.empty(), 100, reasons, false);
        ExitTimes times =
                times(
                        look,
                        trace ->
                                trace.exit(0, 1000, HLT, 10)
                                        .exit(0, 1090, MSR_WRITE, 20)
                                        .lost(0, 1150, 1)
                                        .exit(0, 1500, HLT, 5));
        List<Window> windows = times.windows().orElseThrow().closed();
        assertEquals(3, windows.size());
        assertEquals(2, windows.get(0).exits());
        assertEquals(0, windows.get(1).exits());
        assertEquals(1, windows.get(1).gaps());
        Row write = windows.get(1).rows().get(Dimension.REASON).getFirst();
        assertEquals("MSR_WRITE", write.subject().text());
        assertEquals(0, write.count());
        assertEquals(20, write.all().sum());
        assertEquals(500, windows.get(2).from());
        assertEquals(600, windows.get(2).to());
        assertEquals(1, windows.get(2).exits());
    }

    @Test
    void countsAreNoTimeWindows() {
        Set<Dimension> reasons = EnumSet.of(Dimension.REASON);
        Look look = new Look(reasons, Optional.empty(), OptionalInt.empty(), 100, reasons, false);
        ReplayException thrown =
                assertThrows(
                        ReplayException.class,
                        () -> times(look, trace -> trace.opened(TraceClock.COUNTS)));
        assertEquals(
                "the trace's clock counts and does not tell time: no --interval",
                thrown.getMessage());
    }

    @Test
    void groupsAreBounded() {
        ExitTimes times =
                times(trace -> {
                    for (int i = 0; i < ExitTimes.LIMIT + 3; i++) {
                        trace.hit(0, i, Tracepoint.KVM_HYPERCALL, "nr", (long) i);
                    }
                });
        List<Row> rows = times.rows(Dimension.HYPERCALL, Order.COUNT);
        assertEquals(ExitTimes.LIMIT + 1, rows.size());
        assertTrue(rows.getLast().subject().others());
        assertEquals(3, rows.getLast().count());
        assertEquals("others", rows.getLast().subject().text());
    }

    /// 0 is in the first, 1 in [1, 2), 5 and 7 in [4, 8), 1024 in [1024, 2048).
    @Test
    void magnitudes() {
        ExitTimes times =
                times(trace -> {
                    long at = 0;
                    for (long duration : new long[] {0, 1, 5, 7, 1024}) {
                        trace.exit(0, at, HLT, duration);
                        at += 10_000;
                    }
                });
        long[] counts = only(times, Dimension.REASON).byMagnitude();
        assertEquals(1, counts[0]);
        assertEquals(1, counts[1]);
        assertEquals(2, counts[3]);
        assertEquals(1, counts[11]);
        assertEquals(4, TimesTree.from(3));
    }
}

package trapline.replayer.times;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static trapline.replayer.times.Observed.HLT;
import static trapline.replayer.times.Observed.MSR_WRITE;

import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import trapline.engine.event.ObservedEvent.TraceClock;
import trapline.engine.event.Tracepoint;
import trapline.engine.state.Vendor;
import trapline.replayer.times.Change.Verdict;
import trapline.replayer.times.Changes.ChangeRow;
import trapline.replayer.times.Changes.Side;

/// Figures of two traces against one another, by hand and by many drawn traces.
class ChangesTest {

    private static final double LOOSE = 1e-6;

    private static Side side(Consumer<Observed> trace) {
        Batches batches = new Batches(Changes.DIMENSIONS);
        ExitTimes times = new ExitTimes(Look.at(Changes.DIMENSIONS), Vendor.VMX, batches);
        trace.accept(new Observed(times::add).opened(TraceClock.NANOSECONDS));
        times.finish();
        return new Side(times, batches);
    }

    private static ChangeRow row(Changes changes, String reason) {
        return changes.of(Dimension.REASON).stream()
                .filter(row -> row.subject().text().equals(reason))
                .findFirst()
                .orElseThrow();
    }

    /// 12 by 3 is 4; off by -2, 0 and 2, so 8 * 3 / 2 / 9.
    @Test
    void aRatioByHand() {
        Ratio ratio = Ratio.of(new double[] {2, 4, 6}, new double[] {1, 1, 1});
        assertEquals(4, ratio.value());
        assertEquals(8 * 3 / 2.0 / 9, ratio.variance(), LOOSE);
        assertEquals(3, ratio.windows());
    }

    /// Both are known to 1 %: of 62 degrees of freedom t is 1.998972, so the logarithm's margin is 0.028270.
    @Test
    void anIntervalByHand() {
        Change change = Change.of(new Ratio(100, 1, 32), 3200, new Ratio(110, 1.21, 32), 3520);
        assertEquals(0.1, change.change(), LOOSE);
        assertEquals(0.0693386, change.low(), LOOSE);
        assertEquals(0.1315410, change.high(), LOOSE);
        assertEquals(Verdict.MORE, change.verdict());
        assertEquals(Verdict.LONGER, change.inTime().verdict());
    }

    @Test
    void tooFewToTell() {
        Ratio sure = new Ratio(100, 1, 32);
        Change few = Change.of(sure, 9, new Ratio(50, 1, 32), 100);
        assertEquals(Verdict.TOO_FEW, few.verdict());
        assertFalse(few.bounded());
        assertEquals(-0.5, few.change());
        assertEquals(Verdict.TOO_FEW, Change.of(sure, 100, new Ratio(50, 1, 7), 100).verdict());
        Ratio none = new Ratio(0, 0, 32);
        assertEquals(Verdict.ONLY_BASE, Change.of(sure, 10, none, 0).verdict());
        assertEquals(Verdict.ONLY_CANDIDATE, Change.of(none, 0, sure, 10).verdict());
        assertEquals(Verdict.TOO_FEW, Change.of(none, 0, sure, 9).verdict());
    }

    @Test
    void countsOfTheModelAreExact() {
        Change change = Change.exact(4, 5);
        assertEquals(0.25, change.change());
        assertEquals(Verdict.MORE, change.verdict());
        assertFalse(change.bounded());
        assertEquals(Verdict.SAME, Change.exact(4, 4).verdict());
        assertFalse(Change.exact(0, 1).known());
    }

    /// A long trace is folded many times; nothing is lost of it.
    @Test
    void windowsCoverTheWholeTrace() {
        Batches batches = new Batches(Changes.DIMENSIONS);
        for (int i = 0; i <= 100_000; i++) {
            batches.time(5_000_000_000L + i * 1_000_000L);
            batches.happened(Dimension.REASON, 1);
            batches.took(Dimension.REASON, 1, 7);
        }
        Sample sample = batches.of(Dimension.REASON, 1);
        assertEquals(Batches.BATCHES, sample.seconds().length);
        assertEquals(100_001, sample.count());
        assertEquals(100_001, sample.timedCount());
        assertEquals(100.0, java.util.Arrays.stream(sample.seconds()).sum(), LOOSE);
        assertEquals(1000.01, sample.rate().value(), LOOSE);
        assertEquals(7, sample.mean().value(), LOOSE);
        assertEquals(0, sample.mean().variance(), LOOSE);
    }

    /// Twice as many writes a second and HLT twice as long, in traces of 64 seconds.
    @Test
    void whatChangedIsSeen() {
        Changes changes =
                new Changes(
                        side(trace -> regular(trace, 100, 1000)),
                        side(trace -> regular(trace, 200, 2000)));
        ChangeRow writes = row(changes, "MSR_WRITE");
        assertEquals(6400, writes.baseCount());
        assertEquals(12_800, writes.candidateCount());
        assertEquals(Verdict.MORE, writes.rate().verdict());
        assertEquals(1, writes.rate().change(), 0.001);
        assertEquals(Verdict.NO_CHANGE, writes.mean().verdict());
        ChangeRow halts = row(changes, "HLT");
        assertEquals(Verdict.NO_CHANGE, halts.rate().verdict());
        assertEquals(Verdict.LONGER, halts.mean().verdict());
        assertEquals(1, halts.mean().change(), LOOSE);
        assertTrue(changes.comparable());
        assertFalse(changes.exact());
    }

    private static void regular(Observed trace, int writesASecond, long halt) {
        for (int second = 0; second < 64; second++) {
            long begin = second * 1_000_000_000L;
            trace.exit(0, begin, HLT, halt);
            for (int i = 1; i <= writesASecond; i++) {
                trace.exit(0, begin + i * 4_000_000L, MSR_WRITE, 500);
            }
        }
        trace.entry(0, 64_000_000_000L);
    }

    /// Of 200 pairs of traces with the same rate and the same mean, some 95 in 100 intervals have 0 in them.
    @Test
    void intervalsCoverWhatTheySay() {
        Random random = new Random(20);
        int rates = 0;
        int means = 0;
        for (int i = 0; i < 200; i++) {
            Changes changes =
                    new Changes(side(trace -> drawn(trace, random)), side(t -> drawn(t, random)));
            ChangeRow row = row(changes, "HLT");
            rates += row.rate().verdict() == Verdict.NO_CHANGE ? 1 : 0;
            means += row.mean().verdict() == Verdict.NO_CHANGE ? 1 : 0;
        }
        assertTrue(rates >= 181 && rates <= 199, "rates " + rates);
        assertTrue(means >= 181 && means <= 199, "means " + means);
    }

    private static void drawn(Observed trace, Random random) {
        long at = 0;
        while (at < 10_000_000_000L) {
            long duration = (long) (-Math.log(1 - random.nextDouble()) * 20_000) + 1;
            trace.exit(0, at, HLT, duration);
            at += duration + (long) (-Math.log(1 - random.nextDouble()) * 10_000_000);
        }
    }

    /// The first thousand MSRs have a row each.
    @Test
    void whatHasNoRoomIsCounted() {
        Side side =
                side(trace -> {
                    for (long msr = 0; msr < 1007; msr++) {
                        trace.hit(0, msr, Tracepoint.KVM_MSR, "write", 1L, "msr", msr);
                    }
                });
        assertEquals(7, side.leftOut());
        assertEquals(1000, new Changes(side, side).of(Dimension.MSR).size());
    }

    @Test
    void gapsAreOfTheirSide() {
        Side side = side(trace -> trace.exit(0, 0, HLT, 5).lost(0, 10, 3));
        assertEquals(1, side.times().gaps());
        assertEquals(3, side.times().lost());
    }
}

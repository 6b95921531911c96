package trapline.fleet.statistics;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import trapline.schemas.ExitStatistics.ReasonCount;
import trapline.schemas.ExitWindow;
import trapline.schemas.ExitWindow.MsrCount;

/// What is counted of many reasons and MSRs is bounded, and nothing is lost.
class ExitTallyTest {

    private static final WindowKey KEY = new WindowKey("s", 0, 0, 1000);

    private static ExitWindow window(List<ReasonCount> reasons, List<MsrCount> msrs) {
        return new ExitWindow("s", 0, 0, 1000, 1, 0, 0, 0, 0, reasons, msrs, 0);
    }

    @Test
    void reasonsAndMsrsBeyondTheBoundAreCountedTogether() {
        ExitTally tally = new ExitTally();
        for (int i = 0; i < 3000; i++) {
            tally.add(
                    window(
                            List.of(new ReasonCount(i, "r" + i, 2)),
                            List.of(new MsrCount(i, true, 1))));
        }
        tally.add(
                window(
                        List.of(new ReasonCount(Long.MIN_VALUE, "least", 1)),
                        List.of(new MsrCount(-1, false, 1))));
        ExitWindow sum = tally.window(KEY);
        assertEquals(1025, sum.byReason().size());
        assertEquals(new ReasonCount(1023, "r1023", 2), sum.byReason().get(1023));
        assertEquals(
                new ReasonCount(Long.MAX_VALUE, "other", 2 * (3000 - 1024) + 1),
                sum.byReason().getLast());
        assertEquals(1024, sum.byMsr().size());
        assertEquals(3000 - 1024 + 1, sum.otherMsrs());
        ExitTally again = new ExitTally();
        again.add(sum);
        assertEquals(sum, again.window(KEY));
    }

    @Test
    void msrsComeInOrderReadsFirst() {
        ExitTally tally = new ExitTally();
        for (int msr : IntStream.of(0xc000_0080, 0x48, 0x10).toArray()) {
            tally.add(
                    window(
                            List.of(),
                            List.of(new MsrCount(msr, true, 1), new MsrCount(msr, false, 2))));
        }
        assertEquals(
                List.of(
                        new MsrCount(0x10, false, 2),
                        new MsrCount(0x10, true, 1),
                        new MsrCount(0x48, false, 2),
                        new MsrCount(0x48, true, 1),
                        new MsrCount(0xc000_0080, false, 2),
                        new MsrCount(0xc000_0080, true, 1)),
                tally.window(KEY).byMsr());
    }
}

package trapline.replayer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import trapline.engine.cost.CostProfile;
import trapline.engine.cost.CostProfile.Figure;
import trapline.engine.cost.Range;
import trapline.replayer.Comparison.Sensitivity;
import trapline.replayer.Comparison.Verdict;
import trapline.replayer.Projection.Line;

class ComparisonTest {

    private static final Range EXIT = new Range(1000, 1500, 2000);
    private static final Range RDMSR = new Range(40, 50, 150);

    private static final CostProfile PROFILE =
            new CostProfile(
                    "test",
                    "",
                    "cycles",
                    figures(
                            "exit", new Figure(EXIT, "measured", false),
                            "host-rdmsr", new Figure(RDMSR, "", true)));

    private static SortedMap<String, Figure> figures(
            String name, Figure figure, String otherName, Figure other) {
        SortedMap<String, Figure> figures = new TreeMap<>();
        figures.put(name, figure);
        figures.put(otherName, other);
        return figures;
    }

    private static Projection counted(long exits, long reads) {
        return new Projection(
                PROFILE,
                List.of(
                        new Line("exit", "exit", exits, EXIT.times(exits)),
                        new Line("hostMsr.exitSave", "host-rdmsr", reads, RDMSR.times(reads))));
    }

    private static Comparison compare(Projection base, Projection candidate) {
        return Comparison.of(base, candidate, PROFILE);
    }

    @Test
    void dependsOnTheFigureWhoseBreakEvenLiesInItsRange() {
        Comparison comparison = compare(counted(100, 3100), counted(200, 100));
        assertEquals(Verdict.DEPENDS, comparison.verdict());
        assertEquals(new Range(-350_000, 0, 80_000), comparison.difference());
        Sensitivity exit = comparison.sensitivities().getFirst();
        assertEquals("exit", exit.figure());
        assertEquals(100, exit.more());
        assertEquals(1500, exit.breakEven());
        assertTrue(exit.decides());
    }

    @Test
    void aFigureUsedLessAddsItsHighEndToTheLowEndOfTheDifference() {
        Comparison comparison = compare(counted(100, 3100), counted(200, 100));
        assertEquals(
                new Range(-450_000, -150_000, -120_000),
                comparison.sensitivities().get(1).difference());
    }

    /// 100 exits more at 1,200 cycles, 3,000 reads less at 40, 50 and 150: 120,000 less 120,000, 150,000
    /// and 450,000.
    @Test
    void theDifferenceIsKnownForEveryValueOfAFigure() {
        Sensitivity exit =
                compare(counted(100, 3100), counted(200, 100)).sensitivities().getFirst();
        assertEquals(new Range(-450_000, -150_000, -120_000), exit.others());
        assertEquals(new Range(-330_000, -30_000, 0), exit.at(1200));
        assertEquals(0, exit.at(exit.breakEven()).typical());
    }

    @Test
    void assumedFiguresAloneMoveTheDifferenceWithinTheirRanges() {
        Comparison comparison = compare(counted(100, 3100), counted(200, 100));
        assertEquals(new Range(-300_000, 0, 30_000), comparison.assumed());
    }

    @Test
    void whereOneFigureIsAllThatDiffersNoValueOfItTurnsTheVerdict() {
        Comparison comparison = compare(counted(100, 0), counted(101, 0));
        assertEquals(Verdict.BASE_CHEAPER, comparison.verdict());
        Sensitivity exit = comparison.sensitivities().getFirst();
        assertTrue(Double.isNaN(exit.breakEven()));
        assertFalse(exit.decides());
    }

    @Test
    void sameCountsCostTheSame() {
        Comparison comparison = compare(counted(7, 7), counted(7, 7));
        assertEquals(Verdict.EQUAL, comparison.verdict());
        assertEquals(List.of(), comparison.sensitivities());
        assertEquals(Range.ZERO, comparison.assumed());
    }
}

package trapline.dashboard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Element;
import trapline.engine.cost.Range;
import trapline.engine.rule.Rules;
import trapline.engine.rule.Violation;
import trapline.replayer.Comparison.Sensitivity;
import trapline.replayer.DiffResult;
import trapline.replayer.DiffResult.Divergence;
import trapline.replayer.DiffResult.Nearby;
import trapline.replayer.InterceptionTimeline;
import trapline.replayer.InterceptionTimeline.Change;
import trapline.replayer.InterceptionTimeline.Row;
import trapline.replayer.ResultTree;
import trapline.replayer.Strip.Span;

class PicturesTest {

    /// An L1 whose L2 is the first to write SPEC_CTRL.
    private static final String NESTED =
            """
            scenario: nested
            program:
              - repeat: 3
                do:
                  - nested:
                      intercept: {write: [IA32_PRED_CMD]}
                      do:
                        - wrmsr: {msr: IA32_SPEC_CTRL, value: 0x2}
                        - cpuid: {leaf: 0x1}
            """;

    @TempDir Path folder;

    private Diffs diffs;

    @BeforeEach
    void open() {
        diffs = new Diffs(folder);
    }

    @AfterEach
    void close() {
        diffs.close();
    }

    private DiffResult ssbd(int times) {
        return diffs.of(
                Diffs.SSBD.formatted(times), "kvm-6.1", "kvm-6.1,spec-ctrl=always-intercept");
    }

    private static Page page(DiffResult diff) {
        return Page.parse(DiffPage.of(diff));
    }

    private static Sensitivity figure(String name, long more, Range range, double even) {
        return new Sensitivity(name, more, range, true, even, Range.ZERO);
    }

    @Test
    void drawsTheFiguresThatTurnTheVerdictAndElseTheMostInfluential() {
        Range range = new Range(10, 20, 30);
        Sensitivity small = figure("small", 1, range, Double.NaN);
        Sensitivity large = figure("large", -100, range, 500);
        Sensitivity medium = figure("medium", 10, range, Double.NaN);
        Sensitivity near = figure("near", 1, range, 70);
        Sensitivity decides = figure("decides", 1, range, 30);
        assertEquals(
                List.of(large, medium), BreakEvenSection.figures(List.of(small, large, medium)));
        assertEquals(
                List.of(decides, near),
                BreakEvenSection.figures(List.of(small, near, large, medium, decides)));
    }

    @Test
    void bothLinesMeetWhereTheComparisonSays() {
        DiffResult diff = ssbd(20);
        List<Sensitivity> figures = BreakEvenSection.figures(diff.comparison().sensitivities());
        List<Element> plots = page(diff).drawings("plot");
        assertEquals(figures.size(), plots.size());
        assertTrue(figures.getFirst().decides());
        for (int i = 0; i < plots.size(); i++) {
            if (BreakEvenChart.isNear(figures.get(i))) {
                meet(plots.get(i), figures.get(i));
            }
        }
    }

    private static void meet(Element plot, Sensitivity figure) {
        String said = "break-even " + Numbers.figure(figure.breakEven());
        assertEquals(said, Page.in(plot, "text", "even").getFirst().getTextContent());
        Element mark = Page.in(plot, "line", "even").getFirst();
        Element base = Page.in(plot, "line", "base slope").getFirst();
        Element candidate = Page.in(plot, "line", "candidate slope").getFirst();
        double start = number(candidate, "y1") - number(base, "y1");
        double end = number(candidate, "y2") - number(base, "y2");
        assertEquals(100 * start / (start - end), number(mark, "x1"), 0.2, figure.figure());
        assertEquals(
                figure.range().typical() / figure.breakEven(),
                number(Page.in(plot, "line", "typical").getFirst(), "x1") / number(mark, "x1"),
                0.01);
    }

    private static double number(Element element, String attribute) {
        return Double.parseDouble(element.getAttribute(attribute).replace("%", ""));
    }

    @Test
    void lanesAreWhatTheEventsSay() {
        DiffResult diff = ssbd(3);
        long ops = diff.base().tally().guestOps();
        List<Element> lanes = page(diff).drawings("lane");
        List<Element> bars = lanes.stream().filter(lane -> !name(lane).isEmpty()).toList();
        assertEquals(
                List.of("IA32_SPEC_CTRL, bitmap 01, base", "IA32_SPEC_CTRL, bitmap 01, candidate"),
                bars.stream().map(PicturesTest::name).toList());
        // The guest's first op writes 1, which 6.1 lifts interception for.
        assertEquals(
                List.of("ops 1: intercepted", "ops 2 to %d: passed through".formatted(ops)),
                titles(bars.get(0)));
        assertEquals(List.of("ops 1 to %d: intercepted".formatted(ops)), titles(bars.get(1)));
    }

    private static String name(Element drawing) {
        return drawing.getAttribute("aria-label");
    }

    private static List<String> titles(Element drawing) {
        return Page.elements(drawing.getElementsByTagName("title")).stream()
                .map(Element::getTextContent)
                .toList();
    }

    @Test
    void changesAreListedOneByOneWithTheirEvents() {
        DiffResult diff = diffs.of(NESTED, "kvm-6.1", "kvm-6.18");
        List<List<String>> rows =
                page(diff).rows("interception").stream().filter(r -> r.size() == 6).toList();
        List<String> shown = new ArrayList<>();
        for (List<String> row : rows) {
            for (String event : row.get(4).split(", ")) {
                shown.add("%s %s after %s".formatted(row.get(2), event, row.get(3)));
            }
        }
        int listed = 0;
        for (Row row : diff.base().tally().interception().rows()) {
            for (Change change : row.changes()) {
                String text =
                        "base %s after %s"
                                .formatted(
                                        Numbers.count(change.order()), Numbers.count(change.op()));
                assertEquals(change.op() > 0, shown.contains(text), text);
                listed += change.op() > 0 ? 1 : 0;
            }
        }
        // SPEC_CTRL in 01, and in 02 the three bases and, at the next entry, SPEC_CTRL.
        assertEquals(5, listed);
    }

    /// What a test of JSON reads: the same changes under the names that users know.
    @Test
    void jsonHasTheSameChanges() {
        DiffResult diff = diffs.of(NESTED, "kvm-6.1", "kvm-6.18");
        Row row =
                diff.base().tally().interception().rows().stream()
                        .filter(r -> r.bitmap() == 1 && r.changes().getFirst().op() > 0)
                        .findFirst()
                        .orElseThrow();
        Change change = row.changes().getFirst();
        Map<String, Object> expected =
                Map.of(
                        "msr",
                        "IA32_SPEC_CTRL",
                        "bitmap",
                        1,
                        "vcpu",
                        0,
                        "changes",
                        List.of(
                                Map.of(
                                        "op",
                                        change.op(),
                                        "order",
                                        change.order(),
                                        "read",
                                        false,
                                        "write",
                                        false)),
                        "leftOut",
                        0L);
        Map<?, ?> base = (Map<?, ?>) ResultTree.of(diff).get("base");
        assertTrue(((List<?>) base.get("interception")).contains(expected));
        assertEquals(0L, base.get("interceptionLeftOut"));
    }

    @Test
    void showsTheOpsAroundTheFirstDivergence() {
        DiffResult diff = ssbd(1);
        Divergence divergence = diff.firstDivergence().orElseThrow();
        assertEquals(1, divergence.op());
        assertEquals(List.of(), divergence.before());
        assertEquals(List.of(2L, 3L, 4L), divergence.after().stream().map(Nearby::op).toList());
        List<List<String>> rows = page(diff).rows("divergence").subList(0, 4);
        // The base has lifted interception at op 1, so that op 2 exits under the candidate alone.
        assertEquals(
                List.of("0", "2", "WRMSR IA32_SPEC_CTRL = 0x5 IBRS|SSBD", "no exit, 1 event"),
                rows.get(1).subList(0, 4));
        assertTrue(rows.get(1).get(4).startsWith("exit MSR_WRITE, "), rows.toString());
        assertEquals(List.of("no exit, 1 event", "the same"), rows.get(2).subList(3, 5));
    }

    @Test
    void stepsBeforeTheDivergenceComeFromEarlierBatches() {
        DiffResult diff =
                diffs.of(
                        """
                        scenario: late
                        program:
                          - repeat: 18433
                            do:
                              - run: 10
                          - wrmsr: {msr: IA32_SPEC_CTRL, value: 0x1}
                        """,
                        "kvm-6.1",
                        "kvm-6.1,spec-ctrl=always-intercept");
        Divergence divergence = diff.firstDivergence().orElseThrow();
        assertEquals(
                List.of(divergence.op() - 3, divergence.op() - 2, divergence.op() - 1),
                divergence.before().stream().map(Nearby::op).toList());
        assertEquals(
                List.of("run", "run", "run"),
                divergence.before().stream().map(Nearby::name).toList());
    }

    @Test
    void whatDiffersNamesItsCause() {
        DiffResult diff = ssbd(1);
        Divergence divergence = diff.firstDivergence().orElseThrow();
        long cause = divergence.baseEvents().get(divergence.at()).stamp().cause();
        assertTrue(
                page(diff)
                        .section("divergence")
                        .contains("\u2190\u00a0%d VmExited".formatted(cause)));
    }

    @Test
    void showsWhenL2Ran() {
        DiffResult diff = diffs.of(NESTED, "kvm-6.1", "kvm-6.18");
        long ops = diff.base().tally().guestOps();
        List<Span> spans = diff.base().tally().interception().nested(0).orElseThrow().spans(ops);
        List<Element> levels = page(diff).drawings("level");
        assertEquals(List.of("L2 runs, both"), levels.stream().map(PicturesTest::name).toList());
        assertEquals(
                spans.stream().filter(s -> s.state() == InterceptionTimeline.L2_RUNS).count(),
                titles(levels.getFirst()).size());
        assertTrue(page(diff).section("interception").contains("bitmap 02, for L2"));
    }

    @Test
    void msrsWithTheSameHistoryShareALane() {
        DiffResult diff = diffs.of(NESTED, "kvm-6.1", "kvm-6.1");
        String section = page(diff).section("interception");
        assertTrue(section.contains("FS_BASE, GS_BASE, KERNEL_GS_BASE"), section);
    }

    @Test
    void brokenRulesHaveTheirSourceCountEventAndCauses() {
        DiffResult diff = diffs.of(NESTED, "kvm-6.1", "kvm-5.4");
        Violation violation = diff.candidate().violations().getFirst();
        assertEquals(Rules.Name.IBPB_NESTED_EXIT, violation.rule());
        assertEquals(List.of(), diff.base().violations());
        Page page = page(diff);
        String section = page.section("safety");
        assertTrue(section.contains(violation.rule().sentence()));
        assertTrue(section.contains(violation.rule().source()));
        assertEquals(
                List.of("kept", "broken %d times".formatted(violation.count())),
                page.row("safety", "ibpb-nested-exit").orElseThrow().subList(2, 4));
        assertTrue(section.contains(violation.message()));
        List<String> numbers =
                page.rows("safety").stream()
                        .filter(row -> row.size() == 2)
                        .map(List::getFirst)
                        .toList();
        List<String> chain = new ArrayList<>();
        chain.add(Numbers.count(violation.first().stamp().order()));
        violation.causes().forEach(c -> chain.add(Numbers.count(c.stamp().order())));
        chain.add("");
        assertEquals(chain, numbers);
        assertEquals(
                Rules.Name.values().length,
                page.rows("safety").stream().filter(row -> row.size() > 2).count());
    }

    @Test
    void rulesThatBothKeepAreSaidToBeKept() {
        DiffResult diff = ssbd(2);
        assertEquals(List.of(), diff.base().violations());
        String section = page(diff).section("safety");
        assertTrue(
                section.contains("Both sides keep all %d".formatted(Rules.Name.values().length)));
        assertFalse(section.contains("broken"));
    }
}

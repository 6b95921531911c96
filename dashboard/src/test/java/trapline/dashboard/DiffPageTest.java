package trapline.dashboard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Attr;
import org.w3c.dom.Element;
import org.w3c.dom.NamedNodeMap;
import trapline.engine.cost.CostProfile;
import trapline.replayer.Comparison.Sensitivity;
import trapline.replayer.Comparison.Verdict;
import trapline.replayer.DiffResult;
import trapline.replayer.DiffResult.Divergence;
import trapline.replayer.SideBySide;
import trapline.replayer.SideBySide.Row;

class DiffPageTest {

    private static final String BASE = "kvm-6.1";
    private static final String ALWAYS = "kvm-6.1,spec-ctrl=always-intercept";

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
        return diffs.of(Diffs.SSBD.formatted(times), BASE, ALWAYS);
    }

    private static Page page(DiffResult diff) {
        return Page.parse(DiffPage.of(diff));
    }

    private static List<Attr> attributes(Page page) {
        return page.elements("*").stream()
                .map(Element::getAttributes)
                .flatMap(DiffPageTest::each)
                .toList();
    }

    private static Stream<Attr> each(NamedNodeMap attributes) {
        return IntStream.range(0, attributes.getLength())
                .mapToObj(attributes::item)
                .map(Attr.class::cast);
    }

    @Test
    void needsNothingFromElsewhere() {
        String text = DiffPage.of(ssbd(5));
        Page page = Page.parse(text);
        Set<String> names =
                attributes(page).stream().map(Attr::getName).collect(Collectors.toSet());
        for (String loads : List.of("src", "srcset", "href", "xlink:href", "style", "data")) {
            assertFalse(names.contains(loads), loads);
        }
        String sheet = page.elements("style").getFirst().getTextContent();
        assertFalse(Pattern.compile("url\\(|@import|expression").matcher(sheet).find());
        assertFalse(text.contains("://"));
    }

    @Test
    void forbidsItsReadersBrowserToLoadAnything() {
        String policy =
                page(ssbd(5)).elements("meta").stream()
                        .filter(meta ->
                                meta.getAttribute("http-equiv").equals("Content-Security-Policy"))
                        .map(meta -> meta.getAttribute("content"))
                        .findFirst()
                        .orElseThrow();
        assertTrue(policy.startsWith("default-src 'none'; style-src 'unsafe-inline'"));
    }

    @Test
    void readsAlikeAsHtmlAndAsXml() {
        String text = DiffPage.of(ssbd(5));
        assertTrue(text.startsWith("<!DOCTYPE html>\n<html lang=\"en\">"));
        Set<String> empty = new TreeSet<>();
        Pattern.compile("<([a-z]+)[^<>]*/>")
                .matcher(text)
                .results()
                .forEach(match -> empty.add(match.group(1)));
        assertEquals(Set.of("line", "meta", "polygon", "rect"), empty);
    }

    /// 6.1 has a barrier between L2 and L1, 5.15 has none, which is why it costs less.
    @Test
    void headlineNamesTheRuleThatOneSideBreaks() {
        String nested =
                "scenario: nested\nprogram: [{repeat: 9, do: [{nested: {do: [{run: 10}]}}]}]\n";
        String cheaper = page(diffs.of(nested, "kvm-6.1", "kvm-5.15")).section("verdict");
        assertTrue(
                cheaper.contains("kvm-5.15 breaks ibpb-nested-exit and is cheaper than kvm-6.1"),
                cheaper);
        String dearer = page(diffs.of(nested, "kvm-5.15", "kvm-6.1")).section("verdict");
        assertTrue(
                dearer.contains("kvm-6.1 costs more than kvm-5.15, which breaks ibpb-nested-exit,"),
                dearer);
    }

    @Test
    void textsOfOthersStayTexts() {
        String guest = "<script>alert(1)</script>";
        String policy = "\"><img src=x onerror=alert(2)>.yaml";
        String costs =
                """
                costs: "</style><script>alert(3)</script>"
                summary: "'\\" onload=alert(4) &amp; <b>"
                unit: "<i>cycles</i>"
                actions:
                """
                        + CostProfile.ACTIONS.stream()
                                .map(action ->
                                        "  %s: {range: [1, 2, 3], source: '<a href=x>'}\n"
                                                .formatted(action))
                                .collect(Collectors.joining());
        String own =
                "extends: kvm-6.1\nsummary: '<svg onload=alert(5)>'\nspec-ctrl: {lift: 'false'}\n";
        try (Diffs theirs = new Diffs(folder.resolve("theirs"), Map.of(policy, own))) {
            String text =
                    DiffPage.of(
                            theirs.of(
                                    Diffs.SSBD.formatted(3),
                                    guest,
                                    BASE,
                                    policy,
                                    CostProfile.parse(costs, "own.yaml")));
            Page page = Page.parse(text);
            for (String element : List.of("script", "img", "a", "i", "input", "iframe")) {
                assertEquals(List.of(), page.elements(element), element);
            }
            assertEquals(1, page.elements("style").size());
            assertTrue(attributes(page).stream().noneMatch(a -> a.getName().startsWith("on")));
            assertTrue(page.section("run").contains(guest));
            assertTrue(page.section("run").contains("<svg onload=alert(5)>"));
            assertTrue(page.section("verdict").contains(policy));
            assertTrue(page.section("provenance").contains("<a href=x>"));
            assertTrue(
                    page.section("reproduce").contains("'\"><img src=x onerror=alert(2)>.yaml'"));
        }
    }

    @Test
    void everyCountIsThatOfTheDiff() {
        DiffResult diff = ssbd(20);
        Page page = page(diff);
        SideBySide counts = SideBySide.of(diff);
        List<List<Row>> tables =
                List.of(
                        List.of(counts.exits(), counts.host(false), counts.host(true)),
                        counts.exitsByReason(),
                        counts.msrs(),
                        counts.ports(),
                        counts.hostByMsr(false),
                        counts.hostByMsr(true),
                        counts.mutations(),
                        counts.rest());
        List<List<String>> cells = page.rows("counts");
        tables.forEach(
                table -> table.forEach(row -> assertTrue(shows(cells, row), row.toString())));
        assertTrue(counts.exits().change() > 0);
    }

    private static boolean shows(List<List<String>> cells, Row row) {
        String base = Numbers.count(row.base());
        List<String> changed =
                List.of(
                        row.name(),
                        base,
                        Numbers.count(row.candidate()),
                        row.change() == 0 ? "" : Numbers.change(row.change()));
        return cells.stream()
                .anyMatch(c ->
                        c.size() == 5
                                ? c.subList(0, 4).equals(changed)
                                : row.change() == 0 && c.equals(List.of(row.name(), base)));
    }

    @Test
    void cyclesAreThoseOfTheDiff() {
        DiffResult diff = ssbd(20);
        Page page = page(diff);
        String verdict = page.section("verdict");
        assertTrue(
                verdict.contains(Numbers.cyclesChange(diff.comparison().difference().typical())));
        assertTrue(verdict.contains(Numbers.cyclesChange(diff.comparison().difference().low())));
        assertTrue(verdict.contains(Numbers.cyclesChange(diff.comparison().difference().high())));
        String pictures = page.section("pictures");
        assertTrue(pictures.contains(Numbers.cycles(diff.base().projection().total().typical())));
        assertTrue(
                pictures.contains(Numbers.cycles(diff.candidate().projection().total().typical())));
    }

    @Test
    void saysWhichFigureDecides() {
        DiffResult diff = ssbd(20);
        assertEquals(Verdict.DEPENDS, diff.comparison().verdict());
        Sensitivity figure =
                diff.comparison().sensitivities().stream()
                        .filter(s -> s.figure().equals("host-rdmsr.IA32_SPEC_CTRL"))
                        .findFirst()
                        .orElseThrow();
        assertTrue(figure.decides());
        String verdict = page(diff).section("verdict");
        assertTrue(verdict.contains("It depends"));
        assertTrue(
                verdict.contains(
                        "pays where a host RDMSR of IA32_SPEC_CTRL costs over %s cycles"
                                .formatted(Numbers.figure(figure.breakEven()))),
                verdict);
    }

    @Test
    void namesEveryFigureThatWasUsedWithItsSource() {
        DiffResult diff = ssbd(5);
        List<List<String>> rows = page(diff).rows("provenance");
        diff.candidate()
                .projection()
                .byFigure()
                .forEach((figure, count) -> {
                    List<String> row =
                            rows.stream()
                                    .filter(cells -> cells.getFirst().endsWith(" " + figure))
                                    .findFirst()
                                    .orElseThrow(() -> new AssertionError(figure));
                    boolean assumed = diff.costs().figure(figure).assumed();
                    assertEquals(Numbers.count(count), row.get(2));
                    assertEquals(assumed ? "assumed" : "sourced", row.get(6));
                    assertEquals(diff.costs().figure(figure).source(), row.get(7));
                });
    }

    @Test
    void showsTheDivergingOpOnBothSides() {
        DiffResult diff = ssbd(5);
        Divergence divergence = diff.firstDivergence().orElseThrow();
        assertEquals("MsrInterceptChanged", divergence.base().name());
        assertTrue(divergence.at() > 0);
        assertEquals(divergence.base(), divergence.baseEvents().get(divergence.at()).event());
        String section = page(diff).section("divergence");
        assertTrue(section.contains("op 1: WRMSR IA32_SPEC_CTRL = 0x1"), section);
        assertTrue(section.contains(Numbers.count(divergence.baseOrder()) + "MsrInterceptChanged"));
    }

    @Test
    void listsTheFirstGuestVisibleDifferencesAndCountsAll() {
        DiffResult diff = diffs.of(Diffs.FLUSH.formatted(80), "kvm-6.12", "kvm-5.15");
        assertEquals(80, diff.guestVisible().count());
        Page page = page(diff);
        assertTrue(page.section("guest-visible").contains("80 of 160 guest ops"));
        List<List<String>> rows = page.rows("guest-visible");
        assertEquals(50, rows.size());
        assertTrue(rows.getFirst().get(3).endsWith("(#GP)"), rows.getFirst().toString());
    }

    @Test
    void samePoliciesCostTheSameAndDivergeNowhere() {
        Page page = page(diffs.of(Diffs.SSBD.formatted(5), BASE, BASE));
        assertTrue(page.section("verdict").contains("costs the same"));
        assertTrue(page.section("divergence").contains("None"));
        assertTrue(page.section("guest-visible").contains("Nothing"));
    }

    @Test
    void doesNotGrowWithTheSession() {
        int small = DiffPage.of(ssbd(20)).length();
        int large = DiffPage.of(ssbd(4000)).length();
        assertTrue(large < small * 1.1, "%d, then %d".formatted(small, large));
    }

    @Test
    void sameDiffSameBytesInEveryLocale() {
        DiffResult diff = ssbd(5);
        String text = DiffPage.of(diff);
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.GERMANY);
            assertEquals(text, DiffPage.of(diff));
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void tellsHowToMakeItAgain() {
        DiffResult diff = ssbd(5);
        String section = page(diff).section("reproduce");
        assertTrue(
                section.contains(
                        "trapline diff %s --base kvm-6.1 --candidate %s --cost intel --html report.html"
                                .formatted(diff.session().name(), ALWAYS)),
                section);
        assertTrue(
                section.contains(
                        "trapline record --guest guest --cpu Icelake-Server --policy kvm-6.1"
                                + " --vcpus 1 --seed 1"),
                section);
        assertEquals(Optional.empty(), diff.session().header().parent());
    }
}

package trapline.verify.browser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;

/// A diff that is run from the page comes to what `trapline diff` comes to.
@Browser
class DiffPageIT {

    @TempDir static Path folder;

    private static Program program;
    private static Page page;
    private static Chromium chromium;
    private static String session;

    @BeforeAll
    static void record() throws IOException {
        program = new Program(folder, "file:" + folder.resolve("log"));
        session =
                program.json("record", "--guest", "linux-6.1-tasks-2cpu")
                        .path("session")
                        .textValue();
        page = Page.of(program);
        chromium = page.chromium();
    }

    @AfterAll
    static void close() {
        if (page != null) {
            page.close();
        }
    }

    @AfterEach
    void nothingIsAskedElsewhereNorComplainedOf() {
        page.assertQuiet();
    }

    private static void choose(String candidate) {
        page.go("/diff/" + session);
        chromium.type("#candidate", candidate);
        chromium.click("#run");
    }

    private static void assertTotals(JsonNode diff) {
        chromium.element("#totals");
        for (String side : new String[] {"base", "candidate"}) {
            JsonNode counts = diff.path(side);
            assertCell(side, "exits", counts.at("/exits/total"));
            assertCell(side, "hostWrites", counts.at("/hostMsr/writes"));
            assertCell(side, "fieldWrites", counts.at("/actions/fieldWrites"));
            assertCell(side, "events", counts.path("events"));
            assertCell(side, "cycles", counts.at("/cycles/total/typical"));
        }
    }

    private static void assertCell(String side, String row, JsonNode expected) {
        String css = "#totals [data-row=%s] [data-side=%s]".formatted(row, side);
        assertTrue(expected.isNumber(), row);
        assertEquals(expected.asLong(), chromium.number(css), css);
    }

    @Test
    void runsABuiltInPolicy() {
        choose("kvm-6.1,pass-through=-FS_BASE");
        JsonNode diff =
                program.json("diff", session, "--candidate", "kvm-6.1,pass-through=-FS_BASE");
        assertTotals(diff);
        String divergence = chromium.text("#divergence");
        assertTrue(
                divergence.contains(diff.at("/firstDivergence/op/name").textValue()), divergence);
        assertTrue(chromium.address().contains("candidate=kvm-6.1,pass-through=-FS_BASE"));
        page.picture("diff");
        chromium.click("#divergence-link");
        long order = diff.at("/firstDivergence/baseOrder").asLong();
        chromium.await("the event", () -> chromium.number("[data-key=order]") == order);
    }

    @Test
    void runsAnUploadedPolicyAgainstAnotherBase() throws IOException {
        Path policy =
                Files.writeString(
                        folder.resolve("no-fs-base.yaml"),
                        "policy: no-fs-base\nextends: kvm-6.6\nintercept: [FS_BASE]\n");
        page.go("/diff/" + session + "?base=kvm-6.6");
        chromium.upload("#file", policy);
        chromium.element(".uploads button");
        chromium.click("#run");
        assertTotals(
                program.json(
                        "diff", session, "--base", "kvm-6.6", "--candidate", policy.toString()));
    }

    @Test
    void aPolicyThatIsWrongIsSaidWithItsPlace() throws IOException {
        Path policy =
                Files.writeString(
                        folder.resolve("wrong.yaml"),
                        "policy: wrong\nextends: kvm-6.6\nhocus: 1\n");
        page.go("/diff/" + session);
        chromium.upload("#file", policy);
        String error = chromium.text("#error");
        assertTrue(error.contains("wrong.yaml") && error.contains("3:1"), error);
        assertFalse(error.contains("\n"), error);
        chromium.complaints(); // the browser itself logs the answer's status
    }

    @Test
    void anAddressRunsItsDiff() {
        page.go("/diff/" + session + "?candidate=kvm-7.1&base=kvm-5.4&costs=intel");
        assertTotals(
                program.json(
                        "diff",
                        session,
                        "--base",
                        "kvm-5.4",
                        "--candidate",
                        "kvm-7.1",
                        "--cost",
                        "intel"));
    }

    @Test
    void keysChooseAndRun() {
        page.go("/diff/" + session);
        chromium.element("#candidate");
        chromium.press("c");
        chromium.press("kvm-6.6", Keys.ENTER);
        assertTotals(program.json("diff", session, "--candidate", "kvm-6.6"));
    }
}

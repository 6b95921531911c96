package trapline.verify.browser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import trapline.engine.sim.Ingredients;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.recorder.Plan;
import trapline.verify.Guests;

/// Names out of a log, a policy or an address are text on the page, whatever they look like.
@Browser
class SafeNamesIT {

    private static final String GUEST = "<img src=x onerror=\"window.broken = 1\">";
    private static final String POLICY = "<script>window.broken = 1</script>";

    @TempDir static Path folder;

    private static Page page;
    private static Chromium chromium;
    private static String session;

    @BeforeAll
    static void record() throws IOException {
        Plan plan = Guests.plan("nested-spec-ctrl", "Icelake-Server", "kvm-6.1");
        Ingredients parts = plan.ingredients();
        Ingredients named =
                new Ingredients(
                        parts.guestKind(),
                        GUEST,
                        parts.guestText(),
                        parts.seed(),
                        parts.vcpus(),
                        parts.platformText(),
                        parts.modelText(),
                        parts.policyText());
        String log = "file:" + folder.resolve("log");
        try (Journal journal = Journals.open(log, Optional.empty())) {
            Guests.record(journal, new Plan(named, plan.platform(), POLICY, Optional.empty()));
            session = journal.sessions().getFirst().header().session();
        }
        page = Page.of(new Program(folder, log));
        chromium = page.chromium();
    }

    @AfterAll
    static void close() {
        if (page != null) {
            page.close();
        }
    }

    private static void assertText(String css, String text) {
        chromium.await(text, () -> chromium.text(css).contains(text));
        assertEquals(null, chromium.run("return window.broken ?? null"));
        assertEquals(1L, chromium.run("return document.scripts.length"), "scripts in the page");
    }

    @Test
    void guestsAndPoliciesAreText() {
        page.go("/");
        assertText("#page", GUEST);
        assertText("#page", POLICY);
        page.go("/session/" + session);
        chromium.element("#place");
        assertText("#page", GUEST);
        page.go("/diff/" + session);
        chromium.element("#candidate");
        assertText("#page", GUEST);
        assertText("#page", POLICY);
        page.assertQuiet();
    }

    @Test
    void aSessionNamedScriptIsText() {
        for (String kind : List.of("live", "session", "diff")) {
            page.go("/" + kind + "/%3Cscript%3Ewindow.broken=1%3Cscript%3E");
            assertText("#page", "<script>window.broken=1<script>");
        }
        assertTrue(chromium.complaints().stream().noneMatch(said -> said.contains("Content Sec")));
    }
}

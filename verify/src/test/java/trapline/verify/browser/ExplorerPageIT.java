package trapline.verify.browser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;

/// The explorer in a browser says what `trapline state` and `trapline events` say.
@Browser
class ExplorerPageIT {

    @TempDir static Path folder;

    private static Program program;
    private static Page page;
    private static Chromium chromium;
    private static String session;
    private static List<JsonNode> events;

    @BeforeAll
    static void record() throws IOException {
        program = new Program(folder, "file:" + folder.resolve("log"));
        session = program.json("record", "--guest", "nested-spec-ctrl").path("session").textValue();
        events = program.events(session);
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

    private static void go(String query) {
        page.go("/session/" + session + query);
        chromium.element("#place");
    }

    private static void awaitEvent(long seq) {
        chromium.await("event " + seq, () -> chromium.number("[data-key=seq]") == seq);
    }

    /// The last event before a place, or the first after it, that somebody asks for.
    private static JsonNode find(long order, boolean next, Predicate<JsonNode> is) {
        Stream<JsonNode> found =
                events.stream()
                        .filter(e ->
                                next
                                        ? e.path("order").asLong() > order
                                        : e.path("order").asLong() < order)
                        .filter(is);
        return next
                ? found.findFirst().orElseThrow()
                : found.reduce((_, last) -> last).orElseThrow();
    }

    private static boolean isExit(JsonNode event) {
        return event.path("type").textValue().equals("VmExited");
    }

    /// What the page shows of the state is what the command prints.
    private static void assertStateShown(long seq) {
        JsonNode state = program.json("state", session, "--vcpu", "0", "--at", Long.toString(seq));
        chromium.await(
                "digest",
                () -> chromium.text("[data-key=digest]").equals(state.path("digest").textValue()));
        assertEquals(state.path("mode").textValue(), chromium.text("[data-key=mode]"));
        String rip = state.at("/registers/RIP").textValue();
        assertTrue(chromium.text("[data-path='registers.RIP'] dd").endsWith(rip), rip);
        String field = state.at("/vmcs/01/GUEST_RIP").textValue();
        assertTrue(chromium.text("[data-path='vmcs.01.GUEST_RIP'] dd").endsWith(field), field);
    }

    @Test
    void stepsBackwardsEventByEvent() {
        go("?vcpu=0&seq=500");
        awaitEvent(500);
        assertStateShown(500);
        for (long seq = 499; seq >= 496; seq--) {
            chromium.press(Keys.ARROW_LEFT);
            awaitEvent(seq);
        }
        assertStateShown(496);
        page.picture("explorer");
        assertTrue(chromium.address().contains("vcpu=0&seq=496"), chromium.address());
    }

    @Test
    void goesFromExitToExit() {
        long exit = find(500, true, ExplorerPageIT::isExit).path("seq").asLong();
        long before = find(500, false, ExplorerPageIT::isExit).path("seq").asLong();
        go("?vcpu=0&seq=500");
        awaitEvent(500);
        chromium.pressWithShift(Keys.ARROW_RIGHT);
        awaitEvent(exit);
        go("?vcpu=0&seq=500");
        awaitEvent(500);
        chromium.pressWithShift(Keys.ARROW_LEFT);
        awaitEvent(before);
    }

    @Test
    void goesToTheWritesOfAField() {
        JsonNode write =
                find(
                        90,
                        true,
                        event ->
                                event.path("type").textValue().equals("VmcsFieldWritten")
                                        && event.at("/event/field")
                                                .asText()
                                                .equals("CR4_READ_SHADOW"));
        go("?vcpu=0&seq=90&to=field:CR4_READ_SHADOW");
        awaitEvent(90);
        chromium.press("n");
        awaitEvent(write.path("seq").asLong());
    }

    @Test
    void aPlaceIsAnAddressAndBackGoesBack() {
        JsonNode caused = find(500, true, event -> event.path("cause").asLong() != 0);
        go("?vcpu=0&seq=" + caused.path("seq").asLong());
        awaitEvent(caused.path("seq").asLong());
        String address = chromium.address();
        chromium.click("#causes a");
        long cause = caused.path("cause").asLong();
        chromium.await("the cause", () -> chromium.number("[data-key=order]") == cause);
        assertNotEquals(address, chromium.address());
        chromium.back();
        awaitEvent(caused.path("seq").asLong());
    }

    @Test
    void backShowsTheTimelineOfItsRange() {
        go("?vcpu=0&seq=500&view=400-600");
        awaitEvent(500);
        awaitTimelines("400", 1);
        chromium.click("#around tr.here a");
        chromium.press("-");
        chromium.await("a wider range", () -> !chromium.address().contains("view=400-600"));
        chromium.back();
        awaitTimelines("400", 2);
    }

    private static void awaitTimelines(String from, long times) {
        String script =
                "return performance.getEntriesByType('resource')"
                        + ".filter(e => e.name.includes('/timeline?from=' + arguments[0] + '&')).length";
        chromium.await(
                times + " timelines from " + from,
                () -> ((Number) chromium.run(script, from)).longValue() == times);
    }

    /// Each step counts, though not each is asked for.
    @Test
    void aHeldKeyGoesAsFarAsItWasHeld() {
        go("?vcpu=0&seq=500");
        awaitEvent(500);
        chromium.press(Keys.ARROW_LEFT.toString().repeat(40));
        awaitEvent(460);
        assertStateShown(460);
    }

    @Test
    void marksWhatAnEventChanged() {
        JsonNode write =
                find(300, true, event -> event.path("type").textValue().equals("VmcsFieldWritten"));
        go("?vcpu=0&seq=" + write.path("seq").asLong());
        awaitEvent(write.path("seq").asLong());
        String changed = chromium.text("#changed");
        for (String part : new String[] {"field", "old", "value"}) {
            String text = write.path("event").path(part).textValue();
            assertTrue(changed.contains(text), changed + " has no " + text);
        }
    }

    /// So many events that nobody could draw them one by one.
    @Test
    void aLongSessionIsDrawnFromItsIndex() throws IOException {
        Path guest =
                Files.writeString(
                        folder.resolve("long.yaml"),
                        """
                        scenario: long
                        program:
                          - repeat: 20000
                            do:
                              - wrmsr: {msr: IA32_SPEC_CTRL, value: {random: [0, 7]}}
                              - cpuid: {leaf: 0x1}
                        """);
        String other = program.json("record", "--guest", guest.toString()).path("session").asText();
        page.go("/session/" + other + "?vcpu=0&seq=70000");
        awaitEvent(70_000);
        chromium.press("a");
        chromium.await(
                "bars", () -> chromium.text("#timeline").contains("bars are exits by reason"));
        chromium.await("the index", () -> !chromium.has("#indexing"));
        assertTrue(chromium.text("#timeline .reasons").contains("CPUID"));
    }

    @Test
    void aPlaceThatIsNotThereIsSaidInOneLine() {
        page.go("/session/" + session + "?vcpu=0&seq=999999999");
        assertFalse(chromium.text("#error").isBlank());
        assertFalse(chromium.text("#error").contains("\n"));
        chromium.complaints(); // the browser itself logs the answer's status
    }

    @Test
    void keysAreListed() {
        go("?vcpu=0&seq=500");
        awaitEvent(500);
        chromium.press("?");
        String keys = chromium.text("dialog[open]");
        assertTrue(keys.contains("previous exit"), keys);
        chromium.press(Keys.ESCAPE);
        chromium.await("end of the list", () -> !chromium.has("dialog[open]"));
    }

    @Test
    void isLightAndDark() {
        chromium.prefer("dark");
        go("?vcpu=0&seq=500");
        assertEquals("rgb(19, 22, 26)", background());
        chromium.press("t");
        chromium.await("light", () -> background().equals("rgb(255, 255, 255)"));
        chromium.press("t");
        chromium.await("dark", () -> background().equals("rgb(19, 22, 26)"));
        chromium.prefer("light");
        chromium.await("the system's", () -> background().equals("rgb(255, 255, 255)"));
    }

    private static String background() {
        return (String) chromium.run("return getComputedStyle(document.body).backgroundColor");
    }
}

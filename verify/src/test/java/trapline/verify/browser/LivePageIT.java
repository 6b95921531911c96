package trapline.verify.browser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;

/// A recording is watched while it is made, by one who was there first and by one who comes late.
@Browser
class LivePageIT {

    private static final String EXITS = "#totals [data-key=exits]";

    /// A session's link leads to its live view once exits of it have come, to the explorer before.
    private static final String WATCH = "tr[data-session] a[href^='/live/']";

    /// Some seconds of exits.
    private static final String GUEST =
            """
            scenario: watched
            program:
              - repeat: 100000
                do:
                  - run: {random: [1, 5000]}
                  - wrmsr: {msr: IA32_SPEC_CTRL, value: {random: [0, 7]}}
                  - rdmsr: {msr: IA32_APICBASE}
                  - cpuid: {leaf: 0x1}
                  - out: {port: 0x20, size: 1, value: 0x20}
            """;

    @TempDir Path folder;

    private Program program;
    private Page page;
    private Chromium chromium;
    private Process recorder;

    @BeforeEach
    void open() throws IOException {
        program = new Program(folder, "embedded:" + folder.resolve("log"));
        page = Page.of(program);
        chromium = page.chromium();
    }

    @AfterEach
    void close() {
        if (recorder != null) {
            recorder.destroyForcibly();
        }
        if (page != null) {
            page.close();
        }
    }

    private void record() throws IOException {
        Path guest = Files.writeString(folder.resolve("watched.yaml"), GUEST);
        recorder = program.start("record", "--guest", guest.toString(), "--vcpus", "2");
    }

    private long exits() {
        return chromium.number(EXITS);
    }

    private void awaitMoreThan(long exits) {
        chromium.await("more than " + exits + " exits", () -> exits() > exits);
    }

    private void awaitEnd() {
        chromium.await("the end", () -> chromium.has(".head .tag.closed"));
    }

    @Test
    void countsRiseToWhatStatSays() throws Exception {
        page.go("/");
        assertTrue(chromium.text(".empty").contains("trapline record"));
        record();
        chromium.click(WATCH);
        awaitMoreThan(0);
        awaitMoreThan(exits());
        awaitMoreThan(exits());
        Chromium.Tab late = chromium.tab();
        page.go("/");
        chromium.click(WATCH);
        awaitMoreThan(0);
        page.picture("live");
        awaitEnd();
        JsonNode stat = program.json("stat", "last");
        long total = stat.at("/exits/total").asLong();
        chromium.await("all exits", () -> exits() == total);
        // Three exits of two vCPUs each time round, and the few of their start.
        assertTrue(total >= 600_000 && total < 600_100, () -> "exits: " + total);
        chromium.look(late.before());
        awaitEnd();
        chromium.await("all exits", () -> exits() == total);
        assertRange(total);
        page.assertQuiet();
    }

    /// A range around everything has everything.
    private void assertRange(long total) {
        String path = chromium.address().replaceFirst(".*(/live/[^?]*).*", "$1");
        page.go(path + "?range=1-9999999999999");
        chromium.await("the range", () -> chromium.number("[data-key=range-exits]") == total);
        page.go(path);
        awaitMoreThan(0);
        chromium.drag("[data-chart=reasons]", 0.3, 0.8);
        chromium.await("a range", () -> chromium.number("[data-key=range-exits]") > 0);
        assertTrue(chromium.number("[data-key=range-exits]") <= total);
        assertTrue(chromium.address().contains("range="), chromium.address());
        chromium.press(Keys.ESCAPE);
        chromium.await("no range", () -> !chromium.has("#range"));
    }

    @Test
    void pausesAndGoesOn() throws Exception {
        page.go("/");
        record();
        chromium.click(WATCH);
        awaitMoreThan(0);
        chromium.press("p");
        chromium.element("#paused");
        long frozen = exits();
        String since = chromium.text("#paused");
        chromium.await("more exits behind it", () -> !chromium.text("#paused").equals(since));
        assertEquals(frozen, exits());
        chromium.press("p");
        awaitMoreThan(frozen);
        awaitEnd();
        assertEquals(program.json("stat", "last").at("/exits/total").asLong(), exits());
        page.assertQuiet();
    }

    @Test
    void theBrowsersClockIsNotAskedForRates() throws Exception {
        chromium.ahead(60_000);
        page.go("/");
        record();
        chromium.click(WATCH);
        awaitMoreThan(0);
        chromium.await("a rate", () -> chromium.number("#totals [data-key=rate]") > 0);
        page.assertQuiet();
    }

    @Test
    void whoIsNotLetInIsToldSo() throws Exception {
        Path token = Files.writeString(folder.resolve("token"), "0123456789abcdef0123456789abcdef");
        try (Program.Served closed =
                program.serve("127.0.0.1:0", "--token-file", token.toString())) {
            chromium.go(closed.url().replaceAll("(//[^/]*).*", "$1") + "/live/any");
            chromium.await("why", () -> chromium.text("#page").contains("/login?token="));
        }
    }

    @Test
    void comesBackByItself() throws Exception {
        program.json("record", "--guest", "ssbd-per-task");
        long total = program.json("stat", "last").at("/exits/total").asLong();
        page.go("/");
        chromium.click(WATCH);
        chromium.await("all exits", () -> exits() == total);
        String listen = page.served().url().replaceAll("^.*//", "");
        page.served().close();
        chromium.await("the loss", () -> chromium.text("#connection").contains("lost"));
        try (Program.Served again = program.serve(listen)) {
            chromium.await(
                    "the connection", () -> chromium.text("#connection").contains("connected"));
            chromium.await("all exits", () -> exits() == total);
            assertTrue(again.process().isAlive());
        }
    }
}

package trapline.dashboard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import trapline.engine.BrokenInvariant;

class HtmlTest {

    private static final String START = "<!DOCTYPE html>\n";

    private static String text(String text) {
        String page = new Html().element("p", text).finish();
        return page.substring((START + "<p>").length(), page.indexOf("</p>"));
    }

    @Test
    void escapesTexts() {
        assertEquals("a &lt; b &amp;&amp; b &gt; c \"'", text("a < b && b > c \"'"));
    }

    @Test
    void escapesAttributes() {
        assertEquals(
                START + "<p title=\"&quot; onload=&quot;x'&#10;&lt;\"></p>\n\n",
                new Html().element("p", "", "title", "\" onload=\"x'\n<").finish());
    }

    @Test
    void leavesOutAttributesWithoutAValue() {
        assertEquals(START + "<p></p>\n\n", new Html().element("p", "", "class", "").finish());
    }

    @Test
    void replacesWhatIsNoTextOrTurnsTextAround() {
        assertEquals("a\ufffdb\ufffdc\ufffdd\ufffde", text("a\u0000b\u001bc\ud800d\u202ee"));
        assertEquals("\ufffd\ufffd", text("\uffff\u0085"));
    }

    @Test
    void keepsWhatIsText() {
        assertEquals("é 中 \ud83d\ude00\n\t", text("é 中 \ud83d\ude00\n\t"));
    }

    @Test
    void isFinishedOnlyWhenEverythingIsClosed() {
        Html html = new Html().open("div");
        assertThrows(BrokenInvariant.class, html::finish);
    }
}

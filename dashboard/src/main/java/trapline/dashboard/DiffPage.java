package trapline.dashboard;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import trapline.replayer.DiffResult;
import trapline.replayer.SideBySide;
import trapline.replayer.SideBySide.Row;

/// A diff as one HTML page that needs nothing else: no other file, no host, no script.
///
/// The same diff gives the same bytes.
public final class DiffPage {

    private static final String POLICY =
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

    private final DiffResult diff;
    private final Html html = new Html();

    private DiffPage(DiffResult diff) {
        this.diff = diff;
    }

    public static String of(DiffResult diff) {
        return new DiffPage(diff).page();
    }

    private String page() {
        html.open("html", "lang", "en");
        head();
        html.open("body").open("main");
        header();
        VerdictSection.write(html, diff);
        NotesSection.write(html, diff);
        SafetySection.write(html, diff);
        BreakEvenSection.write(html, diff);
        PicturesSection.write(html, diff);
        InterceptionSection.write(html, diff);
        RunSection.write(html, diff);
        CountsSection.write(html, diff);
        DivergenceSection.write(html, diff);
        GuestVisibleSection.write(html, diff);
        ProvenanceSection.write(html, diff);
        ReproduceSection.write(html, diff);
        return html.close().close().close().finish();
    }

    private void head() {
        html.open("head").empty("meta", "charset", "utf-8");
        html.empty("meta", "http-equiv", "Content-Security-Policy", "content", POLICY);
        html.empty("meta", "name", "viewport", "content", "width=device-width, initial-scale=1");
        html.empty("meta", "name", "color-scheme", "content", "light dark");
        html.empty("meta", "name", "referrer", "content", "no-referrer");
        html.element("title", "trapline diff: " + what());
        html.style(sheet()).close();
    }

    private String what() {
        return "%s on %s"
                .formatted(
                        diff.session().header().guest().name(),
                        diff.session().header().machine().platform());
    }

    private static String sheet() {
        try (InputStream in = DiffPage.class.getResourceAsStream("diff.css")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void header() {
        html.open("header").open("h1");
        html.element("code", diff.base().policy());
        html.element("span", " \u2192 ", "class", "muted");
        html.element("code", diff.candidate().policy()).close();
        html.open("p").text("The same run of ");
        html.element("strong", diff.session().header().guest().name()).text(" on ");
        html.element("strong", diff.session().header().machine().platform());
        html.text(" under both policies, compared op by op. Session ");
        html.element("code", diff.session().name()).text(".").close();
        tiles();
        html.close();
    }

    private void tiles() {
        SideBySide counts = SideBySide.of(diff);
        html.open("dl", "class", "tiles");
        tile(counts.exits());
        tile(counts.host(false));
        tile(counts.host(true));
        tile(counts.fieldWrites());
        tile(
                "Guest-visible",
                diff.guestVisible().identical()
                        ? "nothing"
                        : Numbers.plural(diff.guestVisible().count(), "op"),
                diff.guestVisible().identical() ? "same results, op for op" : "have other results");
        tile(
                "First divergence",
                diff.firstDivergence().map(d -> "op " + Numbers.count(d.op())).orElse("none"),
                diff.firstDivergence()
                        .map(d -> "vCPU %d, %s".formatted(d.vcpu(), d.opName()))
                        .orElse("same events, op for op"));
        html.close();
    }

    private void tile(Row row) {
        String change =
                row.change() == 0
                        ? "unchanged"
                        : "%s, %s".formatted(Numbers.change(row.change()), Numbers.percent(row));
        tile(
                row.name(),
                row.change() == 0
                        ? Numbers.count(row.base())
                        : Numbers.count(row.base()) + " \u2192 " + Numbers.count(row.candidate()),
                change);
    }

    private void tile(String name, String value, String more) {
        html.open("div").element("dt", name).element("dd", value);
        html.element("dd", more, "class", "muted").close();
    }
}

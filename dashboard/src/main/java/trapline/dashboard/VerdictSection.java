package trapline.dashboard;

import java.util.List;
import trapline.engine.cost.Range;
import trapline.replayer.Comparison;
import trapline.replayer.Comparison.Sensitivity;
import trapline.replayer.Comparison.Verdict;
import trapline.replayer.DiffResult;

/// The verdict in words, its range, and what assumptions do to it.
final class VerdictSection {

    private final Html html;
    private final DiffResult diff;
    private final Comparison comparison;
    private final Range difference;

    /// Whether the candidate is cheaper with every figure typical.
    private final boolean cheaper;

    private VerdictSection(Html html, DiffResult diff) {
        this.html = html;
        this.diff = diff;
        comparison = diff.comparison();
        difference = comparison.difference();
        cheaper = difference.typical() < 0;
    }

    static void write(Html html, DiffResult diff) {
        new VerdictSection(html, diff).write();
    }

    private void write() {
        html.open("section", "id", "verdict");
        headline();
        if (comparison.verdict() == Verdict.EQUAL) {
            html.element("p", whyEqual());
        } else {
            size();
            RangeBar.difference(html, difference, comparison.assumed());
            html.element(
                    "p",
                    "Wide band: all figures within their ranges, the same ones on both sides. Narrow"
                            + " band: assumed figures alone, all others typical. Mark: all typical.",
                    "class",
                    "muted");
            comparison.sensitivities().stream().filter(Sensitivity::decides).forEach(this::decides);
            assumption();
            FigureTable.write(html, comparison);
        }
        html.close();
    }

    private void headline() {
        String candidate = diff.candidate().policy();
        String base = diff.base().policy();
        html.open("h2", "class", "verdict");
        switch (comparison.verdict()) {
            case EQUAL -> sentence("", candidate, " costs the same as ", base, ".");
            case CANDIDATE_CHEAPER ->
                    sentence("", candidate, " is cheaper than ", base, by() + always());
            case BASE_CHEAPER ->
                    sentence("", candidate, " costs more than ", base, by() + always());
            case DEPENDS ->
                    sentence(
                            "It depends: ",
                            candidate,
                            typically(),
                            base,
                            " with typical figures, but their ranges allow the opposite.");
        }
        html.close();
    }

    /// No cost is told without the rules that one side alone breaks.
    private void sentence(String start, String one, String middle, String other, String end) {
        html.text(start).element("code", one);
        List<String> candidate = diff.candidate().breaksAlone(diff.base());
        if (!candidate.isEmpty()) {
            html.text(" breaks ");
            html.element("code", String.join(", ", candidate)).text(" and");
        }
        html.text(middle).element("code", other);
        List<String> base = diff.base().breaksAlone(diff.candidate());
        if (!base.isEmpty()) {
            html.text(", which breaks ").element("code", String.join(", ", base));
            html.text(end.startsWith(" ") ? "," : "");
        }
        html.text(end);
    }

    /// How much, in relation to the base.
    private String by() {
        double base = diff.base().projection().total().typical();
        double share = difference.typical() / base;
        if (base == 0 || share == 0) {
            return "";
        }
        return share >= 10
                ? ", typically %s times as much".formatted(Numbers.figure(share + 1))
                : ", typically by %s %%".formatted(Numbers.rounded(100 * Math.abs(share)));
    }

    private String always() {
        return difference.low() == difference.high()
                ? ", with the figures of this cost profile."
                : ", wherever in their ranges the figures lie.";
    }

    private String typically() {
        if (difference.typical() == 0) {
            return " costs the same as ";
        }
        return cheaper ? " is cheaper than " : " costs more than ";
    }

    private String whyEqual() {
        return comparison.sensitivities().isEmpty()
                ? "Neither side does anything more often that the cost profile has a figure for."
                : "What differs costs nothing under this cost profile.";
    }

    private void size() {
        double base = diff.base().projection().total().typical();
        double candidate = diff.candidate().projection().total().typical();
        String percent = Numbers.percent(base, candidate);
        html.open("p", "class", "size");
        html.element("strong", Numbers.cyclesChange(difference.typical()));
        html.text(" " + diff.costs().unit());
        html.text(
                percent.isEmpty()
                        ? " over the whole run"
                        : " (" + percent + ") over the whole run");
        if (difference.low() < difference.high()) {
            html.text(
                    ", from %s to %s"
                            .formatted(
                                    Numbers.cyclesChange(difference.low()),
                                    Numbers.cyclesChange(difference.high())));
        }
        long ops = diff.base().tally().guestOps();
        if (ops > 0) {
            html.text("; %s per guest op".formatted(signed(difference.typical() / ops)));
        }
        html.text(".").close();
    }

    private static String signed(double cycles) {
        return (cycles > 0 ? "+" : "") + Numbers.figure(cycles);
    }

    private void decides(Sensitivity figure) {
        html.open("p", "class", "decides");
        html.element("code", diff.candidate().policy());
        html.text(
                " pays where %s costs %s %s cycles; the profile says %s%s."
                        .formatted(
                                Figures.words(figure.figure()),
                                figure.more() > 0 ? "under" : "over",
                                Numbers.figure(figure.breakEven()),
                                Numbers.figure(figure.range()),
                                figure.assumed() ? ", assumed" : ""));
        html.close();
    }

    /// What it does to the verdict that figures were assumed rather than measured.
    private void assumption() {
        List<Sensitivity> all = comparison.sensitivities();
        List<String> assumed =
                all.stream().filter(Sensitivity::assumed).map(Sensitivity::figure).toList();
        html.open("p");
        if (assumed.isEmpty()) {
            html.text("Every figure whose count differs has a source; none is assumed.");
        } else if (assumed.size() == all.size()) {
            html.text("Every figure whose count differs is assumed, not measured (");
            html.element("code", String.join(", ", assumed));
            html.text("): the verdict is as good as they are.");
        } else {
            html.text(
                    "Assumed, not measured: %d of the %d figures whose count differs ("
                            .formatted(assumed.size(), all.size()));
            html.element("code", String.join(", ", assumed)).text("). ").text(effect());
        }
        html.close();
    }

    private String effect() {
        Range alone = comparison.assumed();
        boolean turns = alone.low() < 0 && alone.high() > 0;
        return "With all others typical, these alone move the difference between %s and %s, which %s."
                .formatted(
                        Numbers.cyclesChange(alone.low()),
                        Numbers.cyclesChange(alone.high()),
                        turns ? "turns the verdict" : "does not turn the verdict");
    }
}

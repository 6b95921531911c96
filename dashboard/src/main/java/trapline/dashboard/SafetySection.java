package trapline.dashboard;

import java.util.ArrayList;
import java.util.List;
import trapline.engine.event.Envelope;
import trapline.engine.rule.Rules;
import trapline.engine.rule.Violation;
import trapline.replayer.DiffResult;
import trapline.replayer.DiffResult.Side;

/// The safety rules: which side broke which, with the first event and what caused it.
final class SafetySection {

    /// Ways of breaking a rule that are shown of each side; there may be one for every vCPU and MSR.
    private static final int MOST = 5;

    private final Html html;
    private final DiffResult diff;
    private final EventText text;

    private SafetySection(Html html, DiffResult diff) {
        this.html = html;
        this.diff = diff;
        text = new EventText(html, diff.session().vendor());
    }

    static void write(Html html, DiffResult diff) {
        new SafetySection(html, diff).write();
    }

    private void write() {
        html.open("section", "id", "safety").element("h2", "Safety rules");
        List<Rules.Name> broken = new ArrayList<>();
        List<Rules.Name> kept = new ArrayList<>();
        for (Rules.Name rule : Rules.Name.values()) {
            (of(diff.base(), rule).isEmpty() && of(diff.candidate(), rule).isEmpty()
                            ? kept
                            : broken)
                    .add(rule);
        }
        if (!broken.isEmpty()) {
            broken(broken);
        }
        kept(kept, broken.isEmpty());
        html.close();
    }

    private static List<Violation> of(Side side, Rules.Name rule) {
        return side.violations().stream().filter(one -> one.rule() == rule).toList();
    }

    private static long times(List<Violation> violations) {
        return violations.stream().mapToLong(Violation::count).sum();
    }

    private void broken(List<Rules.Name> rules) {
        html.open("table", "class", "rules");
        Cells.heads(html, "", "Rule broken", "", "What it says", "", "base", "", "candidate");
        html.open("tbody");
        for (Rules.Name rule : rules) {
            html.open("tr");
            Cells.name(html, rule.text());
            html.open("td").text(rule.sentence()).text(" ");
            html.element("span", rule.source(), "class", "muted").close();
            verdict(of(diff.base(), rule));
            verdict(of(diff.candidate(), rule));
            html.close();
        }
        html.close().close();
        for (Rules.Name rule : rules) {
            ways("base", diff.base(), rule);
            ways("candidate", diff.candidate(), rule);
        }
    }

    private void verdict(List<Violation> violations) {
        html.element(
                "td",
                violations.isEmpty()
                        ? "kept"
                        : "broken " + Numbers.plural(times(violations), "time"),
                "class",
                violations.isEmpty() ? "kept" : "broken");
    }

    private void ways(String name, Side side, Rules.Name rule) {
        List<Violation> violations = of(side, rule);
        if (violations.isEmpty()) {
            return;
        }
        html.open("h3").element("code", rule.text()).text(" broken by the %s, ".formatted(name));
        html.element("code", side.policy()).close();
        violations.stream().limit(MOST).forEach(this::way);
        if (violations.size() > MOST) {
            html.element(
                    "p",
                    "%s of breaking it: violations[] of --format json has all."
                            .formatted(Numbers.plural(violations.size() - MOST, "more way")),
                    "class",
                    "muted");
        }
    }

    private void way(Violation violation) {
        Envelope first = violation.first();
        String op =
                first.stamp().op() == 0
                        ? "before the first op"
                        : "op " + Numbers.count(first.stamp().op());
        String times =
                violation.count() == 1
                        ? ""
                        : "; %s in all".formatted(Numbers.plural(violation.count(), "time"));
        html.element(
                "p",
                "%s. First on vCPU %d, %s%s."
                        .formatted(violation.message(), first.stamp().vcpu(), op, times));
        chain(violation);
    }

    /// The event after which it was judged so first, then its cause, and so on.
    private void chain(Violation violation) {
        html.open("table", "class", "events chain");
        Cells.heads(html, "n", "#", "", "First after this event, and what caused it");
        html.open("tbody");
        link(violation.first(), "");
        violation.causes().forEach(cause -> link(cause, "\u2190 "));
        Envelope last =
                violation.causes().isEmpty() ? violation.first() : violation.causes().getLast();
        html.open("tr", "class", "same").element("td", "", "class", "n");
        html.element(
                "td",
                last.stamp().cause() == 0
                        ? "\u2190 the guest's op"
                        : "\u2190 event %s".formatted(Numbers.count(last.stamp().cause())),
                "class",
                "event");
        html.close();
        html.close().close();
    }

    private void link(Envelope envelope, String arrow) {
        html.open("tr", "class", arrow.isEmpty() ? "differs first" : "");
        html.element("td", Numbers.count(envelope.stamp().order()), "class", "n muted");
        html.open("td", "class", "event").text(arrow);
        text.write(envelope.event(), null);
        html.close().close();
    }

    private void kept(List<Rules.Name> rules, boolean all) {
        if (all) {
            html.element(
                    "p",
                    "Both sides keep all %d, at every moment at which they are judged."
                            .formatted(rules.size()));
        }
        if (rules.isEmpty()) {
            return;
        }
        html.open("details");
        html.element(
                "summary",
                all
                        ? "Which rules these are"
                        : Numbers.plural(rules.size(), "rule") + " kept by both");
        html.open("table", "class", "rules");
        Cells.heads(html, "", "Rule", "", "What it says", "", "Source");
        html.open("tbody");
        for (Rules.Name rule : rules) {
            html.open("tr");
            Cells.name(html, rule.text());
            html.element("td", rule.sentence()).element("td", rule.source(), "class", "muted");
            html.close();
        }
        html.close().close().close();
    }
}

package trapline.dashboard;

import java.util.ArrayList;
import java.util.List;
import trapline.dashboard.EventPairs.Pair;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.HardwareEvent.VmExited;
import trapline.replayer.DiffResult;
import trapline.replayer.DiffResult.Divergence;
import trapline.replayer.DiffResult.Nearby;
import trapline.replayer.Names;

/// The first op that went differently: its events on both sides, line by line.
final class DivergenceSection {

    /// Equal events that are shown around a difference; longer runs of them are folded.
    private static final int CONTEXT = 4;

    private final Html html;
    private final DiffResult diff;
    private final EventText text;
    private CauseTree causes;

    private DivergenceSection(Html html, DiffResult diff) {
        this.html = html;
        this.diff = diff;
        text = new EventText(html, diff.session().vendor());
    }

    static void write(Html html, DiffResult diff) {
        new DivergenceSection(html, diff).write();
    }

    private void write() {
        html.open("section", "id", "divergence").element("h2", "First divergence");
        if (diff.setup() > 0) {
            html.element(
                    "p",
                    "Before the first op, in the making of the vCPUs, %s on one side only."
                            .formatted(
                                    diff.setup() == 1
                                            ? "1 event is"
                                            : Numbers.count(diff.setup()) + " events are"));
        }
        diff.firstDivergence().ifPresentOrElse(this::divergence, this::none);
        html.close();
    }

    private void none() {
        html.element("p", "None: from the first op to the last, both sides have the same events.");
    }

    private void divergence(Divergence divergence) {
        html.open("p").text("vCPU %d, op ".formatted(divergence.vcpu()));
        html.text(Numbers.count(divergence.op())).text(": ");
        html.element("code", divergence.opName()).text(".").close();
        nearby(divergence);
        html.element("h3", "All events of this op");
        html.open("table", "class", "events");
        Cells.heads(
                html,
                "n",
                "#",
                "",
                "base " + diff.base().policy(),
                "n",
                "#",
                "",
                "candidate " + diff.candidate().policy());
        html.open("tbody");
        causes = new CauseTree(divergence.baseEvents(), divergence.candidateEvents());
        rows(EventPairs.of(divergence.baseEvents(), divergence.candidateEvents()));
        int cut =
                Math.max(divergence.baseEvents().size(), divergence.candidateEvents().size())
                        - EventPairs.MOST;
        if (cut > 0) {
            folded(cut + " more events of this op are not shown");
        }
        html.close().close();
        lookUp(divergence);
    }

    /// The steps around the op, of all vCPUs in the order in which they came.
    private void nearby(Divergence divergence) {
        html.open("table", "class", "nearby");
        Cells.heads(html, "n", "vCPU", "n", "op", "", "", "", "base", "", "candidate");
        html.open("tbody");
        divergence.before().forEach(step -> step(step, ""));
        step(
                new Nearby(
                        divergence.vcpu(),
                        divergence.op(),
                        divergence.opName(),
                        divergence.baseEvents(),
                        divergence.candidateEvents()),
                "differs first");
        divergence.after().forEach(step -> step(step, ""));
        html.close().close();
    }

    private void step(Nearby step, String kind) {
        html.open("tr", "class", kind);
        html.element("td", Integer.toString(step.vcpu()), "class", "n");
        html.element("td", Numbers.count(step.op()), "class", "n");
        html.element("td", step.name(), "class", "event");
        String base = said(step.baseEvents());
        String candidate = said(step.candidateEvents());
        html.element("td", base);
        boolean alike = kind.isEmpty() && base.equals(candidate);
        html.element("td", alike ? "the same" : candidate, "class", alike ? "muted" : "");
        html.close();
    }

    /// Which exits there were, and how many events in all.
    private String said(List<Envelope> events) {
        List<String> exits = new ArrayList<>();
        for (Envelope envelope : events) {
            if (envelope.event() instanceof VmExited exit) {
                exits.add(Names.exit(diff.session().vendor(), exit.reason()));
            }
        }
        return "%s, %s"
                .formatted(
                        exits.isEmpty() ? "no exit" : "exit " + String.join(", ", exits),
                        Numbers.plural(events.size(), "event"));
    }

    /// Order numbers are the session's own where the base is what was recorded.
    private void lookUp(Divergence divergence) {
        boolean recorded =
                diff.base().identity().text().equals(diff.session().parts().policyText());
        if (recorded && !divergence.baseEvents().isEmpty()) {
            html.open("p", "class", "muted").text("What led there: ");
            html.element(
                    "code",
                    Shell.line(
                            "events",
                            diff.session().name(),
                            "--from",
                            Long.toString(
                                    Math.max(1, order(divergence.baseEvents().getFirst()) - 50)),
                            "--to",
                            Long.toString(order(divergence.baseEvents().getLast()))));
            html.close();
        }
    }

    private static long order(Envelope envelope) {
        return envelope.stamp().order();
    }

    private void rows(List<Pair> pairs) {
        boolean first = true;
        for (int i = 0; i < pairs.size(); i++) {
            Pair pair = pairs.get(i);
            if (pair.equal()) {
                int end = endOfEqual(pairs, i);
                int from = i == 0 ? Math.max(0, end - CONTEXT) : i;
                int until = end == pairs.size() ? Math.min(end, from + CONTEXT) : end;
                equal(pairs, i, end, from, until);
                i = end - 1;
            } else {
                row(pair, first ? "differs first" : "differs");
                first = false;
            }
        }
    }

    private static int endOfEqual(List<Pair> pairs, int from) {
        int end = from;
        while (end < pairs.size() && pairs.get(end).equal()) {
            end++;
        }
        return end;
    }

    private void equal(List<Pair> pairs, int start, int end, int from, int until) {
        if (from > start) {
            folded("%d equal events".formatted(from - start));
        }
        for (int i = from; i < until; i++) {
            row(pairs.get(i), "same");
        }
        if (end > until) {
            folded("%d equal events".formatted(end - until));
        }
    }

    private void folded(String what) {
        html.open("tr", "class", "folded").element("td", what, "colspan", "4").close();
    }

    private void row(Pair pair, String kind) {
        html.open("tr", "class", kind);
        side(pair.base(), pair.equal() ? null : pair.candidate(), pair.equal());
        side(pair.candidate(), pair.equal() ? null : pair.base(), pair.equal());
        html.close();
    }

    private void side(Envelope envelope, Envelope other, boolean equal) {
        if (envelope == null) {
            html.element("td", "").element("td", "", "class", "absent");
            return;
        }
        Event theirs = other == null ? null : other.event();
        html.element("td", Numbers.count(envelope.stamp().order()), "class", "n muted");
        html.open("td", "class", "event");
        html.open("div", "class", "d" + causes.depth(envelope));
        text.write(envelope.event(), theirs);
        if (!equal && envelope.stamp().cause() != 0) {
            html.element("span", " \u2190\u00a0" + cause(envelope), "class", "muted");
        }
        html.close().close();
    }

    private String cause(Envelope envelope) {
        String number = Numbers.count(envelope.stamp().cause());
        return causes.cause(envelope).map(c -> number + " " + c.event().name()).orElse(number);
    }
}

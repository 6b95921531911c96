package trapline.dashboard;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import trapline.dashboard.Lanes.Lane;
import trapline.replayer.DiffResult;
import trapline.replayer.InterceptionTimeline;
import trapline.replayer.InterceptionTimeline.Change;
import trapline.replayer.Strip;
import trapline.replayer.Strip.Span;

/// Which MSR accesses exited when: a lane for each MSR whose interception changed, on both sides.
final class InterceptionSection {

    /// More lanes than this make no picture.
    private static final int MOST_LANES = 24;

    /// More pieces than this cannot be told apart in a lane.
    private static final int MOST_SPANS = 300;

    /// More changes than this make no table.
    private static final int MOST_CHANGES = 200;

    private static final int HEIGHT = 18;

    /// The width of a letter, as a part of a lane's on a wide screen.
    private static final double LETTER = 0.0085;

    private static final String[] STATES = {
        "passed through", "reads intercepted", "writes intercepted", "intercepted"
    };

    private static final String[] LEVELS = {"L1 runs", "L2 runs", "L2 runs, its bitmap not in use"};

    private final Html html;
    private final DiffResult diff;
    private final Lanes lanes;
    private final long[] ops;
    private final Scale scale;

    private InterceptionSection(Html html, DiffResult diff) {
        this.html = html;
        this.diff = diff;
        lanes =
                new Lanes(
                        diff.base().tally().interception(),
                        diff.candidate().tally().interception());
        ops = diff.base().tally().guestOpsByVcpu();
        long most = 1;
        for (long count : ops) {
            most = Math.max(most, count);
        }
        scale = new Scale(1, most + 1.0);
    }

    static void write(Html html, DiffResult diff) {
        new InterceptionSection(html, diff).write();
    }

    private void write() {
        html.open("section", "id", "interception").element("h2", "MSR interception over time");
        if (lanes.changing().isEmpty()) {
            html.element(
                    "p",
                    "No MSR's interception changed while the guest ran, nor is there a difference"
                            + " between the sides.");
        } else {
            explained();
            picture();
            changes();
        }
        constant();
        leftOut();
        html.close();
    }

    private void explained() {
        html.element(
                "p",
                "Across: the vCPU's guest ops. Upper half of a bar: reads; lower half: writes.",
                "class",
                "muted");
        html.open("div", "class", "samples muted");
        for (int state : new int[] {3, 2, 1, 0}) {
            sample(state == 0 ? 1 : 1 << state, STATES[state]);
        }
        sample(0b1001, "changes more often than can be drawn");
        html.close();
    }

    private void sample(int states, String name) {
        html.open("span", "class", "sample");
        Drawing drawing = new Drawing(html, "lane", "");
        halves(drawing, "0", "100%", states);
        drawing.close();
        html.text(name).close();
    }

    private void picture() {
        html.open("div", "class", "lanes");
        List<Lane> shown = lanes.changing().stream().limit(MOST_LANES).toList();
        for (int vcpu = 0; vcpu < ops.length; vcpu++) {
            levels(vcpu);
        }
        shown.forEach(this::lane);
        axis();
        html.close();
        int more = lanes.changing().size() - shown.size();
        if (more > 0) {
            html.element(
                    "p",
                    "%s not drawn: interception[] of --format json has all."
                            .formatted(
                                    Numbers.plural(more, "more lane")
                                            + (more > 1 ? " are" : " is")));
        }
    }

    /// When L2 ran, once where that is the same on both sides.
    private void levels(int vcpu) {
        List<Span> base = level(diff.base().tally().interception().nested(vcpu), vcpu);
        List<Span> candidate = level(diff.candidate().tally().interception().nested(vcpu), vcpu);
        if (base.isEmpty() && candidate.isEmpty()) {
            return;
        }
        String name = "L2 runs" + of(vcpu);
        boolean alike = base.equals(candidate);
        html.open("div", "class", alike ? "what one" : "what").element("span", name).close();
        if (alike) {
            level("both", name, base);
        } else {
            level("base", name, base);
            level("candidate", name, candidate);
        }
    }

    private List<Span> level(Optional<Strip> nested, int vcpu) {
        return nested.map(strip -> strip.spans(ops[vcpu], MOST_SPANS)).orElse(List.of());
    }

    private void level(String side, String name, List<Span> spans) {
        html.element("span", side, "class", "side");
        Drawing drawing = new Drawing(html, "level", name + ", " + side);
        for (Span span : spans) {
            if (span.states() != 1) {
                int level = span.state();
                String kind = level == InterceptionTimeline.L2_RUNS_WITHOUT ? "without" : "l2";
                drawing.named(
                        scale.at((double) span.first()),
                        width(span),
                        8,
                        kind,
                        "ops %s: %s"
                                .formatted(range(span), level < 0 ? "L1 and L2" : LEVELS[level]),
                        false);
            }
        }
        drawing.close();
        html.element("span", "", "class", "total");
    }

    private String of(int vcpu) {
        return ops.length > 1 ? ", vCPU " + vcpu : "";
    }

    private void lane(Lane lane) {
        html.open("div", "class", "what")
                .element("span", lane.names(), "class", "id", "title", lane.allNames());
        html.element("span", where(lane), "class", "muted");
        html.close();
        bar("base", lane, lane.base());
        bar("candidate", lane, lane.candidate());
    }

    private String where(Lane lane) {
        String bitmap =
                lane.bitmap() == 1 ? "bitmap 01" : "bitmap %02d, for L2".formatted(lane.bitmap());
        return (ops.length > 1 ? "vCPU %d, ".formatted(lane.vcpu()) : "") + bitmap;
    }

    private void bar(String name, Lane lane, Lanes.Side side) {
        html.element("span", name, "class", "side");
        Drawing drawing =
                new Drawing(html, "lane", "%s, %s, %s".formatted(lane.names(), where(lane), name));
        side.spans(ops[lane.vcpu()], MOST_SPANS).forEach(span -> named(drawing, span));
        drawing.close();
        html.element("span", said(side), "class", "total");
    }

    private static String said(Lanes.Side side) {
        return switch ((int) Math.min(2, side.moves())) {
            case 0 -> "constant";
            case 1 -> "after op " + Numbers.count(side.changes().getLast().op());
            default -> Numbers.plural(side.moves(), "change");
        };
    }

    private void named(Drawing drawing, Span span) {
        String name = span.state() < 0 ? "changes" : STATES[span.state()];
        html.open("svg", "x", scale.at((double) span.first()), "width", width(span)).open("g");
        html.element("title", "ops %s: %s".formatted(range(span), name));
        halves(drawing, "0", "100%", span.states());
        html.close();
        double part = (span.last() - span.first() + 1) / (scale.to() - scale.from());
        boolean whole = span.state() == 0 || span.state() == 3;
        if (whole && part > (name.length() + 2) * LETTER) {
            drawing.text("0", HEIGHT - 5, "start", 6, name, span.state() == 0 ? "on-passed" : "");
        }
        html.close();
    }

    private static void halves(Drawing drawing, String x, String width, int states) {
        if (Integer.bitCount(states) > 1) {
            drawing.rect(x, 0, width, HEIGHT, "mixed");
            return;
        }
        int state = Integer.numberOfTrailingZeros(states);
        String reads = (state & 1) != 0 ? "exits" : "passes";
        String writes = (state & 2) != 0 ? "exits" : "passes";
        if (reads.equals(writes)) {
            drawing.rect(x, 0, width, HEIGHT, reads);
        } else {
            drawing.rect(x, 0, width, HEIGHT / 2, reads);
            drawing.rect(x, HEIGHT / 2, width, HEIGHT / 2, writes);
        }
    }

    private String width(Span span) {
        return scale.width((double) span.first(), span.last() + 1.0);
    }

    private static String range(Span span) {
        return span.first() == span.last()
                ? Numbers.count(span.first())
                : "%s to %s".formatted(Numbers.count(span.first()), Numbers.count(span.last()));
    }

    private void axis() {
        html.element("span", "", "class", "what one").element("span", "", "class", "side");
        Drawing drawing = new Drawing(html, "axis", "axis in guest ops");
        for (double tick : scale.ticks()) {
            drawing.mark(scale, tick);
        }
        drawing.close();
        html.element("span", "guest op", "class", "unit");
    }

    /// The same as a table, for exact numbers.
    private void changes() {
        List<Runnable> rows = new ArrayList<>();
        long all = 0;
        for (Lane lane : lanes.changing()) {
            all += lane.base().count() + lane.candidate().count();
            rows(rows, lane, "base", lane.base());
            rows(rows, lane, "candidate", lane.candidate());
        }
        html.open("details").element("summary", Numbers.plural(all, "change") + ", one by one");
        html.open("table");
        Cells.heads(
                html,
                "",
                "MSR",
                "",
                "Bitmap",
                "",
                "Side",
                "n",
                "After op",
                "n",
                "Event",
                "",
                "Now");
        html.open("tbody");
        rows.forEach(Runnable::run);
        if (all > rows.size()) {
            html.open("tr", "class", "folded");
            String more =
                    "%s not listed".formatted(Numbers.plural(all - rows.size(), "more change"));
            html.element("td", more, "colspan", "6").close();
        }
        html.close().close().close();
    }

    private void rows(List<Runnable> rows, Lane lane, String name, Lanes.Side side) {
        for (int i = 0; i < side.changes().size() && rows.size() < MOST_CHANGES; i++) {
            int change = i;
            rows.add(() -> change(lane, name, side, change));
        }
    }

    private void change(Lane lane, String name, Lanes.Side side, int index) {
        Change change = side.changes().get(index);
        html.open("tr");
        Cells.name(html, lane.allNames());
        html.element("td", where(lane)).element("td", name);
        html.element(
                "td", change.op() == 0 ? "at creation" : Numbers.count(change.op()), "class", "n");
        html.element("td", events(side.orders(index)), "class", "n");
        html.element("td", STATES[InterceptionTimeline.state(change.read(), change.write())]);
        html.close();
    }

    private static String events(List<Long> orders) {
        return orders.size() > 4
                ? "%s and %d more".formatted(Numbers.count(orders.getFirst()), orders.size() - 1)
                : orders.stream().map(Numbers::count).collect(Collectors.joining(", "));
    }

    private void constant() {
        html.open("p", "class", "muted");
        html.text("An MSR that is not named here was intercepted on both sides from start to end.");
        html.close();
        if (lanes.constant().isEmpty()) {
            return;
        }
        int msrs = lanes.constant().stream().mapToInt(lane -> lane.msrs().size()).sum();
        html.open("details");
        html.element(
                "summary",
                Numbers.plural(msrs, "row") + " set up alike on both sides and never changed");
        html.open("table");
        Cells.heads(html, "", "MSRs", "", "Bitmap", "", "State");
        html.open("tbody");
        for (Lane lane : lanes.constant()) {
            html.open("tr");
            Cells.name(html, lane.allNames());
            html.element("td", where(lane)).element("td", STATES[lane.base().last()]);
            html.close();
        }
        html.close().close().close();
    }

    private void leftOut() {
        long lost =
                diff.base().tally().interception().leftOut()
                        + diff.candidate().tally().interception().leftOut();
        if (lost > 0) {
            html.element(
                    "p",
                    "%s of further MSRs were counted, but not kept."
                            .formatted(Numbers.plural(lost, "change")));
        }
    }
}

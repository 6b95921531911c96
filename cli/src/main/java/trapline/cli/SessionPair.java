package trapline.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SequencedMap;
import trapline.engine.event.Envelope;
import trapline.journal.Journal;
import trapline.replayer.Describe;
import trapline.replayer.Session;
import trapline.replayer.parting.Ignored;
import trapline.replayer.parting.Pairing;
import trapline.replayer.parting.Parting;
import trapline.replayer.parting.PartingTree;
import trapline.replayer.times.Change;
import trapline.replayer.times.Changes;
import trapline.replayer.times.Changes.ChangeRow;
import trapline.replayer.times.Changes.Side;
import trapline.replayer.times.ChangesTree;
import trapline.replayer.times.Dimension;
import trapline.replayer.times.ExitTimes;

/// `diff` of two sessions: what changed, and where they part if the model made both.
final class SessionPair {

    private final Console console;
    private final Ignored ignored;

    SessionPair(Ignored ignored, Console console) {
        this.ignored = ignored;
        this.console = console;
    }

    /// @return whether the model made both and they part
    boolean compare(Journal journal, String first, String second) {
        try (Session base = Session.open(journal, first);
                Session candidate = Session.open(journal, second)) {
            Changes changes;
            try (Console.Progress progress = console.progress("counting", -1)) {
                changes = Changes.of(base, candidate, progress);
            }
            Optional<Pairing.Result> pairing =
                    base.imported() || candidate.imported()
                            ? Optional.empty()
                            : Optional.of(pair(base, candidate));
            if (console.json()) {
                console.document(tree(changes, pairing, base, candidate));
            } else {
                print(changes);
                pairing.ifPresent(result -> print(result, base, candidate));
            }
            return pairing.flatMap(Pairing.Result::parting).isPresent();
        }
    }

    private Pairing.Result pair(Session base, Session candidate) {
        try (Pairing pairing = new Pairing(base, candidate, ignored);
                Console.Progress progress = console.progress("comparing", -1)) {
            return pairing.run(progress);
        }
    }

    private static SequencedMap<String, Object> tree(
            Changes changes, Optional<Pairing.Result> pairing, Session base, Session candidate) {
        SequencedMap<String, Object> tree = ChangesTree.of(changes);
        tree.put(
                "firstDivergence",
                pairing.map(result -> PartingTree.of(result.parting(), base, candidate))
                        .orElse(null));
        pairing.ifPresent(result -> {
            tree.put("compared", result.compared());
            tree.put("complete", result.complete());
        });
        return tree;
    }

    private void print(Changes changes) {
        print("first ", changes.base());
        print("second", changes.candidate());
        console.line("");
        print("VM EXITS", List.of(changes.total()), changes);
        for (Dimension dimension : Changes.DIMENSIONS) {
            if (!changes.of(dimension).isEmpty()) {
                console.line("");
                print(dimension.heading(), changes.of(dimension), changes);
            }
        }
        console.line("");
        leftOut("first", changes.base());
        leftOut("second", changes.candidate());
        if (changes.comparable()) {
            Changes.METHOD.forEach(console::line);
        } else if (!changes.exact()) {
            console.line(
                    "One of them has no times in seconds: counts cannot be held against counts.");
        }
    }

    private void leftOut(String which, Side side) {
        if (side.leftOut() > 0) {
            console.line(
                    "%s of the %s are in no row: there is room for a thousand of a kind.",
                    Table.number(side.leftOut()), which);
        }
    }

    private void print(String which, Side side) {
        ExitTimes times = side.times();
        Session session = side.session();
        console.line(
                "%s  session %s, %s%s: %s VM exits%s, %s events%s",
                which,
                session.name(),
                session.header().guest().name(),
                session.imported() ? ", imported" : " under " + session.header().policy(),
                Table.number(times.exits()),
                times.timed() ? " in " + TimesText.seconds(times.span()) + " s" : "",
                Table.number(times.events()),
                gaps(times));
    }

    private static String gaps(ExitTimes times) {
        return times.gaps() == 0
                ? times.timed() ? ", no gaps" : ""
                : ", %s gap%s with %s lost events: counts are too low"
                        .formatted(
                                Table.number(times.gaps()),
                                times.gaps() == 1 ? "" : "s",
                                times.lost() == 0
                                        ? "an unknown number of"
                                        : Table.number(times.lost()));
    }

    private void print(String heading, List<ChangeRow> rows, Changes changes) {
        boolean timed = changes.comparable();
        Table table = new Table("lrrrr" + (timed ? "rrlrrrrl" : "l"));
        List<Object> cells = new ArrayList<>(List.of(heading, "COUNT", "COUNT"));
        if (timed) {
            cells.addAll(List.of("PER S", "PER S", "CHANGE", "95 % INTERVAL", "VERDICT"));
            cells.addAll(List.of("MEAN us", "MEAN us", "CHANGE", "95 % INTERVAL", "VERDICT"));
        } else {
            cells.addAll(List.of("SHARE", "SHARE", "VERDICT"));
        }
        table.row(cells.toArray());
        rows.forEach(row -> table.row(cells(row, timed).toArray()));
        console.out().print(table);
    }

    private static List<Object> cells(ChangeRow row, boolean timed) {
        List<Object> cells = new ArrayList<>();
        cells.add(row.subject().others() ? "all" : row.subject().text());
        cells.add(row.baseCount());
        cells.add(row.candidateCount());
        if (!timed) {
            cells.addAll(List.of(percent(row.baseShare(), ""), percent(row.candidateShare(), "")));
            cells.add(row.rate().verdict().text());
            return cells;
        }
        cells.addAll(Arrays.asList(figures(row.rate(), 1, "%,.1f")));
        cells.addAll(Arrays.asList(figures(row.mean(), 1000, "%,.3f")));
        return cells;
    }

    private static Object[] figures(Change change, double unit, String format) {
        return new Object[] {
            figure(change.base() / unit, format),
            figure(change.candidate() / unit, format),
            change.known() ? percent(change.change(), "+") : "",
            change.bounded()
                    ? percent(change.low(), "+") + " to " + percent(change.high(), "+")
                    : "",
            change.verdict().text()
        };
    }

    private static String figure(double value, String format) {
        return value == 0 ? "-" : String.format(Locale.ROOT, format, value);
    }

    private static String percent(double share, String sign) {
        return String.format(Locale.ROOT, "%" + sign + ".1f%%", 100 * share);
    }

    private void print(Pairing.Result result, Session base, Session candidate) {
        if (!result.complete()) {
            console.line(
                    "%s events are the same; then the vCPUs run too far apart to be held against one another",
                    Table.number(result.compared()));
            return;
        }
        if (result.parting().isEmpty()) {
            console.line("%s events, all the same", Table.number(result.compared()));
            return;
        }
        Parting parting = result.parting().get();
        console.line(
                "%s events are the same; the sessions part at vCPU %d: %s",
                Table.number(parting.compared()),
                parting.vcpu(),
                parting.base().isEmpty() || parting.candidate().isEmpty()
                        ? "one has no more events"
                        : String.join(", ", parting.differences()));
        side(base, parting.before(), parting.base(), parting.after());
        side(candidate, parting.candidateBefore(), parting.candidate(), parting.candidateAfter());
    }

    private void side(
            Session session, List<Envelope> before, Optional<Envelope> at, List<Envelope> after) {
        Describe describe = new Describe(session.vendor());
        console.line("  %s", session.name());
        before.forEach(event -> console.line("   %s", describe.line(event)));
        console.line("  >%s", at.map(event -> describe.line(event)).orElse(" the end"));
        after.forEach(event -> console.line("   %s", describe.line(event)));
    }
}

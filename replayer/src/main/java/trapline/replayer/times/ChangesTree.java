package trapline.replayer.times;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import trapline.replayer.times.Changes.ChangeRow;
import trapline.replayer.times.Changes.Side;

/// What differs between two sessions as JSON has it.
public final class ChangesTree {

    private ChangesTree() {}

    public static SequencedMap<String, Object> of(Changes changes) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("sessions", List.of(side(changes.base()), side(changes.candidate())));
        tree.put("confidence", changes.comparable() ? 0.95 : null);
        tree.put(
                "method",
                changes.comparable()
                        ? String.join(" ", Changes.METHOD)
                        : changes.exact() ? "exact counts of the model" : "counts alone");
        tree.put("total", row(new LinkedHashMap<>(), changes.total(), changes));
        for (Dimension dimension : Changes.DIMENSIONS) {
            tree.put(
                    dimension.key(),
                    changes.of(dimension).stream()
                            .map(found -> row(found.subject().tree(), found, changes))
                            .toList());
        }
        return tree;
    }

    private static SequencedMap<String, Object> side(Side side) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        ExitTimes times = side.times();
        tree.put("session", side.session().name());
        tree.put("guest", side.session().header().guest().name());
        tree.put("policy", side.session().imported() ? null : side.session().header().policy());
        tree.put("events", times.events());
        SequencedMap<String, Object> exits = new LinkedHashMap<>();
        exits.put("total", times.exits());
        exits.put("withoutEntry", times.withoutEntry());
        exits.put("acrossGaps", times.acrossGaps());
        tree.put("exits", exits);
        if (times.timed()) {
            tree.put("span", times.span());
            tree.put("unit", times.unit());
        }
        SequencedMap<String, Object> gaps = new LinkedHashMap<>();
        gaps.put("count", times.gaps());
        gaps.put("lost", times.lost());
        tree.put("gaps", gaps);
        tree.put("leftOut", side.leftOut());
        return tree;
    }

    private static SequencedMap<String, Object> row(
            SequencedMap<String, Object> tree, ChangeRow row, Changes changes) {
        tree.put("base", figures(row.baseCount(), row.baseShare(), row.rate().base(), changes));
        tree.put(
                "candidate",
                figures(
                        row.candidateCount(),
                        row.candidateShare(),
                        row.rate().candidate(),
                        changes));
        change(row.rate(), tree);
        if (changes.comparable()) {
            SequencedMap<String, Object> mean = new LinkedHashMap<>();
            mean.put("base", rounded(row.mean().base()));
            mean.put("candidate", rounded(row.mean().candidate()));
            change(row.mean(), mean);
            tree.put("mean", mean);
        }
        return tree;
    }

    private static SequencedMap<String, Object> figures(
            long count, double share, double rate, Changes changes) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("count", count);
        tree.put("share", share);
        if (changes.comparable()) {
            tree.put("perSecond", rounded(rate));
        }
        return tree;
    }

    private static void change(Change change, SequencedMap<String, Object> tree) {
        tree.put("change", change.known() ? rounded(change.change()) : null);
        tree.put("low", change.bounded() ? rounded(change.low()) : null);
        tree.put("high", change.bounded() ? rounded(change.high()) : null);
        tree.put("verdict", change.verdict().text());
    }

    private static double rounded(double value) {
        return Math.round(value * 1e6) / 1e6;
    }
}

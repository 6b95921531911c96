package trapline.replayer.cases;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import trapline.replayer.ResultTree;
import trapline.replayer.cases.Answer.Assumed;
import trapline.replayer.cases.Answer.Compared;
import trapline.replayer.cases.Answer.Recorded;
import trapline.replayer.cases.Answer.Sight;
import trapline.replayer.cases.Case.About;

/// Cases and answers as trees of names: the keys are a public interface and stay.
public final class AnswerTree {

    private AnswerTree() {}

    /// What a case asks.
    public static SequencedMap<String, Object> of(Case question) {
        About about = question.about();
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("name", about.name());
        tree.put("thread", about.thread().orElse(null));
        tree.put("claim", about.claim());
        tree.put("asked", about.asked());
        tree.put("confirm", about.confirm());
        return tree;
    }

    public static SequencedMap<String, Object> of(Answer answer) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("name", answer.question().about().name());
        tree.put("thread", answer.question().about().thread().orElse(null));
        tree.put("claim", answer.question().about().claim());
        tree.put("verdict", answer.verdict().text());
        tree.put("because", answer.because());
        tree.put("sessions", answer.sessions().stream().map(AnswerTree::session).toList());
        tree.put("diffs", answer.diffs().stream().map(AnswerTree::diff).toList());
        SequencedMap<String, Object> counts = new LinkedHashMap<>();
        answer.counts().forEach((name, number) -> counts.put(name, rounded(number)));
        tree.put("counts", counts);
        List<Object> assumed = new ArrayList<>();
        answer.assumed().forEach(figure -> assumed.add(assumed(figure)));
        tree.put("assumed", assumed);
        tree.put("event", answer.sight().map(AnswerTree::sight).orElse(null));
        tree.put("asked", answer.question().about().asked());
        tree.put("confirm", answer.question().about().confirm());
        return tree;
    }

    private static Number rounded(Number number) {
        return number instanceof Double real
                ? (Number) (Math.round(real * 1_000_000) / 1_000_000.0)
                : number;
    }

    private static SequencedMap<String, Object> session(Recorded recorded) {
        SequencedMap<String, Object> row = new LinkedHashMap<>();
        row.put("name", recorded.name());
        row.put("session", recorded.session());
        row.put("guest", recorded.guest());
        row.put("cpu", recorded.cpu());
        row.put("policy", recorded.policy());
        row.put("vcpus", recorded.vcpus());
        row.put("events", recorded.events());
        row.put("exits", recorded.exits());
        return row;
    }

    private static SequencedMap<String, Object> diff(Compared compared) {
        SequencedMap<String, Object> row = new LinkedHashMap<>();
        row.put("name", compared.name());
        row.put("session", compared.session());
        row.put("base", compared.base());
        row.put("candidate", compared.candidate());
        row.put("costs", compared.costs());
        row.put("baseExits", compared.baseExits());
        row.put("candidateExits", compared.candidateExits());
        row.put("cycles", ResultTree.range(compared.cycles()));
        row.put("command", compared.command());
        return row;
    }

    private static SequencedMap<String, Object> assumed(Assumed assumed) {
        SequencedMap<String, Object> row = new LinkedHashMap<>();
        row.put("diff", assumed.diff());
        row.put("figure", assumed.figure());
        row.put("more", assumed.more());
        row.put("range", ResultTree.range(assumed.range()));
        row.put("breakEven", ResultTree.breakEven(assumed.breakEven()));
        row.put("decides", assumed.decides());
        return row;
    }

    private static SequencedMap<String, Object> sight(Sight sight) {
        SequencedMap<String, Object> tree = new LinkedHashMap<>();
        tree.put("session", sight.session());
        tree.put("side", sight.side());
        tree.put("vcpu", sight.place().vcpu());
        tree.put("seq", sight.place().seq());
        tree.put("order", sight.place().order());
        tree.put("op", sight.place().op());
        tree.put("type", sight.type());
        tree.put("text", sight.text());
        tree.put("command", sight.command());
        return tree;
    }
}

package trapline.replayer.cases;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeSet;
import trapline.engine.cost.CostProfile;
import trapline.engine.event.Envelope;
import trapline.engine.event.Stamp;
import trapline.engine.policy.Policy;
import trapline.engine.rule.Violation;
import trapline.engine.text.InputException;
import trapline.replayer.Comparison.Sensitivity;
import trapline.replayer.Describe;
import trapline.replayer.Diff;
import trapline.replayer.DiffResult;
import trapline.replayer.DiffResult.Divergence;
import trapline.replayer.DiffResult.Side;
import trapline.replayer.Diversion;
import trapline.replayer.ResultTree;
import trapline.replayer.Session;
import trapline.replayer.Tally;
import trapline.replayer.cases.Answer.Assumed;
import trapline.replayer.cases.Answer.Compared;
import trapline.replayer.cases.Answer.Place;
import trapline.replayer.cases.Answer.Recorded;
import trapline.replayer.cases.Answer.Sight;
import trapline.replayer.cases.Case.Count;
import trapline.replayer.cases.Case.Events;
import trapline.replayer.cases.Case.Finding;
import trapline.replayer.cases.Case.Look;
import trapline.replayer.cases.Case.Subject;

/// One case, being answered: its sessions, then its diffs, then its counts, then its verdict.
public final class CaseRun implements AutoCloseable {

    private static final String RECORDED = "recorded";

    private final Case question;
    private final Laboratory laboratory;
    private final Map<String, Session> sessions = new HashMap<>();
    private final Map<String, List<Violation>> broken = new HashMap<>();
    private final Map<String, DiffResult> diffs = new HashMap<>();
    private final List<Recorded> recorded = new ArrayList<>();
    private final List<Compared> compared = new ArrayList<>();
    private final SequencedMap<String, Number> counts = new LinkedHashMap<>();

    /// The diffs on whose cycles something rests.
    private final Set<String> priced = new TreeSet<>();

    /// What expressions see.
    private final Map<String, Object> variables = new HashMap<>();

    private CaseRun(Case question, Laboratory laboratory) {
        this.question = question;
        this.laboratory = laboratory;
    }

    public static Answer answer(Case question, Laboratory laboratory) {
        try (CaseRun run = new CaseRun(question, laboratory)) {
            return run.answer();
        }
    }

    private Answer answer() {
        question.sessions().forEach(this::open);
        question.diffs().forEach(this::compare);
        question.counts().forEach(this::count);
        Finding finding = finding();
        return new Answer(
                question,
                finding.verdict(),
                finding.because().with(counts),
                List.copyOf(recorded),
                List.copyOf(compared),
                counts,
                assumed(),
                question.look().flatMap(this::sight));
    }

    private void open(String name, Subject subject) {
        Session session = laboratory.session(subject);
        sessions.put(name, session);
        Diversion.Result result = Diversion.run(session, session.policy(), _ -> {});
        broken.put(name, result.violations());
        Tally tally = result.tally();
        String policy = session.header().policy();
        SequencedMap<String, Object> said = ResultTree.statistics(session.name(), policy, tally);
        said.put("violations", ResultTree.violations(result.violations()));
        Map<Object, Object> tree = tree(said);
        new Zeros(session.vendor()).fillStatistics(tree);
        variables.put(name, tree);
        recorded.add(
                new Recorded(
                        name,
                        session.name(),
                        session.header().guest().name(),
                        session.header().machine().platform(),
                        policy,
                        session.vcpus(),
                        tally.events(),
                        tally.exits()));
    }

    private void compare(String name, Case.Compared asked) {
        Session session = sessions.get(asked.session());
        Policy base = asked.base().map(laboratory::policy).orElseGet(session::policy);
        Policy candidate = laboratory.policy(asked.candidate());
        CostProfile costs = laboratory.costs(session, asked.cost());
        DiffResult diff;
        try {
            diff = new Diff(session, base, candidate).run(costs, _ -> {});
        } catch (InputException e) {
            throw e.place().isEmpty() ? asked.candidate().error(e.kind(), "%s", e.getMessage()) : e;
        }
        diffs.put(name, diff);
        Map<Object, Object> tree = tree(ResultTree.of(diff));
        new Zeros(session.vendor()).fillDiff(tree);
        variables.put(name, tree);
        compared.add(
                new Compared(
                        name,
                        session.name(),
                        diff.base().policy(),
                        diff.candidate().policy(),
                        costs.name(),
                        diff.base().tally().exits(),
                        diff.candidate().tally().exits(),
                        diff.comparison().difference(),
                        command(asked, session)));
    }

    @SuppressWarnings("unchecked")
    private static Map<Object, Object> tree(SequencedMap<String, Object> result) {
        return (Map<Object, Object>) Formula.plain(result);
    }

    private static String command(Case.Compared asked, Session session) {
        StringBuilder words = new StringBuilder("trapline diff ").append(session.name());
        asked.base().ifPresent(base -> words.append(" --base ").append(base.text()));
        words.append(" --candidate ").append(asked.candidate().text());
        asked.cost().ifPresent(cost -> words.append(" --cost ").append(cost.text()));
        return words.toString();
    }

    private void count(String name, Count count) {
        Number number =
                switch (count) {
                    case Count.Computed(Formula formula) -> {
                        priced.addAll(formula.priced());
                        yield formula.number(variables);
                    }
                    case Count.Counted(Events events) -> {
                        long[] found = new long[1];
                        events.query()
                                .run(sessions.get(events.session()), _ -> found[0]++, () -> true);
                        yield found[0];
                    }
                };
        counts.put(name, number);
        variables.put(name, number);
    }

    private Finding finding() {
        for (Finding finding : question.findings()) {
            if (finding.when().isEmpty() || finding.when().get().holds(variables)) {
                finding.when().ifPresent(when -> priced.addAll(when.priced()));
                return finding;
            }
        }
        throw new IllegalStateException("the last finding has no condition");
    }

    private List<Assumed> assumed() {
        List<Assumed> assumed = new ArrayList<>();
        for (String name : question.diffs().sequencedKeySet()) {
            if (priced.contains(name)) {
                for (Sensitivity s : diffs.get(name).comparison().sensitivities()) {
                    if (s.assumed()) {
                        assumed.add(
                                new Assumed(
                                        name,
                                        s.figure(),
                                        s.more(),
                                        s.range(),
                                        s.breakEven(),
                                        s.decides()));
                    }
                }
            }
        }
        return assumed;
    }

    private Optional<Sight> sight(Look look) {
        return switch (look) {
            case Look.First(Events events) -> first(events);
            case Look.Parting(String diff) ->
                    diffs.get(diff).firstDivergence().map(at -> parting(diff, at));
            case Look.Broken(String session, String rule) ->
                    first(broken.get(session), rule)
                            .map(violation -> broken(sessions.get(session), violation));
            case Look.BrokenInDiff(String diff, boolean candidate, String rule) ->
                    brokenInDiff(diff, candidate, rule);
        };
    }

    private Optional<Sight> first(Events events) {
        Session session = sessions.get(events.session());
        List<Envelope> found = new ArrayList<>();
        events.query().run(session, found::add, found::isEmpty);
        return found.stream()
                .findFirst()
                .map(envelope ->
                        sight(
                                session,
                                RECORDED,
                                envelope,
                                new Describe(session.vendor()).event(envelope.event()),
                                events(session, envelope.stamp().order())));
    }

    private static String events(Session session, long order) {
        return "trapline events %s --from %d --to %d".formatted(session.name(), order, order);
    }

    private static Sight sight(
            Session session, String side, Envelope envelope, String text, String command) {
        Stamp stamp = envelope.stamp();
        return new Sight(
                session.name(),
                side,
                new Place(stamp.vcpu(), stamp.seq(), stamp.order(), stamp.op()),
                envelope.event().name(),
                text,
                command);
    }

    private Sight parting(String name, Divergence at) {
        Session session = diffs.get(name).session();
        String command = command(question.diffs().get(name), session);
        boolean after = at.candidate() != null;
        Envelope envelope = (after ? at.candidateEvents() : at.baseEvents()).get(at.at());
        String text = "op %s; %s".formatted(at.opName(), at.what());
        return sight(session, after ? "candidate" : "base", envelope, text, command);
    }

    private static Optional<Violation> first(List<Violation> violations, String rule) {
        return violations.stream()
                .filter(violation -> violation.rule().text().equals(rule))
                .findFirst();
    }

    private static Sight broken(Session session, Violation violation) {
        return sight(
                session,
                RECORDED,
                violation.first(),
                violation.describe(),
                events(session, violation.first().stamp().order()));
    }

    private Optional<Sight> brokenInDiff(String name, boolean candidate, String rule) {
        DiffResult diff = diffs.get(name);
        Side side = candidate ? diff.candidate() : diff.base();
        return first(side.violations(), rule)
                .map(violation ->
                        sight(
                                diff.session(),
                                candidate ? "candidate" : "base",
                                violation.first(),
                                violation.describe(),
                                command(question.diffs().get(name), diff.session())));
    }

    @Override
    public void close() {
        sessions.values().forEach(Session::close);
    }
}

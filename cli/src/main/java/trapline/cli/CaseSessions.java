package trapline.cli;

import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import trapline.engine.cost.CostProfile;
import trapline.engine.policy.Policy;
import trapline.engine.sim.Ingredients;
import trapline.engine.text.InputException;
import trapline.engine.text.Node;
import trapline.journal.Journal;
import trapline.recorder.Driver;
import trapline.recorder.Plan;
import trapline.recorder.Recorded;
import trapline.recorder.Recorder;
import trapline.replayer.Session;
import trapline.replayer.cases.Case.Subject;
import trapline.replayer.cases.InlineGuest;
import trapline.replayer.cases.Laboratory;

/// Records what cases ask for into a log; what is equal in all that it is made of, once.
final class CaseSessions implements Laboratory {

    private final Journal journal;
    private final Interrupt interrupt;
    private final Map<Made, String> recorded = new HashMap<>();

    CaseSessions(Journal journal, Interrupt interrupt) {
        this.journal = journal;
        this.interrupt = interrupt;
    }

    /// All that makes a session what it is.
    private record Made(Ingredients ingredients, String policy) {}

    @Override
    public Session session(Subject subject) {
        Plan plan = plan(subject);
        Made made = new Made(plan.ingredients(), plan.policy());
        String name = recorded.computeIfAbsent(made, _ -> record(plan, subject));
        return Session.open(journal, name);
    }

    private String record(Plan plan, Subject subject) {
        Driver guest = Driver.guest(plan.ingredients());
        Recorded session =
                placed(
                        subject.node(),
                        () ->
                                new Recorder(journal, Version.program(), InstantSource.system())
                                        .record(plan, guest, interrupt, _ -> {}));
        interrupt.check();
        return session.session();
    }

    private static Plan plan(Subject subject) {
        MachineOptions machine = MachineOptions.of(subject.guest().text(), null);
        machine.cpu = subject.cpu().map(Node::text).orElse(null);
        machine.policy = subject.policy().map(Node::text).orElse(null);
        machine.vcpus = subject.vcpus().map(vcpus -> (int) vcpus.number()).orElse(null);
        machine.seed = subject.seed();
        Optional<InlineGuest> inline = subject.inline();
        machine.files =
                name ->
                        inline.filter(guest -> guest.name().equals(name))
                                .map(InlineGuest::text)
                                .or(() -> UserFiles.text(name));
        try {
            return placed(subject.node(), machine::plan);
        } catch (InputException e) {
            throw inline.map(guest -> guest.here(e)).orElse(e);
        }
    }

    @Override
    public Policy policy(Node expression) {
        return placed(expression, () -> MachineOptions.policy(expression.text()));
    }

    @Override
    public CostProfile costs(Session session, Optional<Node> name) {
        CostOption option = new CostOption();
        option.profile = name.map(Node::text).orElse(null);
        return name.isEmpty()
                ? option.profile(session)
                : placed(name.get(), () -> option.profile(session));
    }

    private interface Lookup<T> {
        T run();
    }

    /// A name that means nothing is an error where it stands.
    private static <T> T placed(Node node, Lookup<T> lookup) {
        try {
            return lookup.run();
        } catch (InputException e) {
            throw e.place().isEmpty() ? node.error(e.kind(), "%s", e.getMessage()) : e;
        }
    }
}

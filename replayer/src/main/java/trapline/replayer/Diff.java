package trapline.replayer;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.SequencedSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.function.LongConsumer;
import trapline.engine.cost.CostProfile;
import trapline.engine.cpu.Platform;
import trapline.engine.event.Envelope;
import trapline.engine.event.Event;
import trapline.engine.event.GuestEvent;
import trapline.engine.policy.Policies;
import trapline.engine.policy.Policy;
import trapline.engine.policy.Policy.Choice;
import trapline.engine.policy.Policy.VirtualSpecCtrl;
import trapline.engine.sim.Applicability;
import trapline.engine.state.Vendor;
import trapline.replayer.DiffResult.Difference;
import trapline.replayer.DiffResult.Divergence;
import trapline.replayer.DiffResult.GuestVisible;
import trapline.replayer.DiffResult.Nearby;
import trapline.replayer.DiffResult.Side;
import trapline.replayer.DiffSide.Outcomes;
import trapline.replayer.RecordedSteps.Recorded;

/// Runs one recording's steps under two policies side by side and compares them op by op.
///
/// The session is read once, in batches, while those before are compared; each batch runs on both sides at
/// the same time, and nothing of either execution is kept but counts, so that memory stays flat.
public final class Diff {

    private static final int MOST_DIFFERENCES = 1000;

    /// Steps on either side of the first divergence that are told with it.
    private static final int NEARBY = 3;

    private final Session session;
    private final DiffSide base;
    private final DiffSide candidate;
    private final Policy.Identity basePolicy;
    private final Policy.Identity candidatePolicy;
    private final List<String> notes = new ArrayList<>();
    private final List<Difference> differences = new ArrayList<>();
    private final List<Nearby> following = new ArrayList<>();
    private long differenceCount;
    private long ops;
    private Compared last = Compared.NOTHING;
    private Divergence divergence;
    private int setup;

    public Diff(Session session, Policy base, Policy candidate) {
        this.session = session;
        this.base = new DiffSide(session, base);
        this.candidate = new DiffSide(session, candidate);
        basePolicy = base.identity();
        candidatePolicy = candidate.identity();
        notes.addAll(notes(session.machines().platform(), base, candidate));
        setup = setupDifferences();
    }

    /// What the policies' variants cannot change on this platform, or would change only in thought.
    static List<String> notes(Platform platform, Policy base, Policy candidate) {
        SequencedSet<String> notes = new LinkedHashSet<>();
        for (Policy policy : List.of(base, candidate)) {
            for (Choice choice : policy.identity().chosen()) {
                note(choice, policy, platform).ifPresent(notes::add);
            }
        }
        platform.synthetic()
                .forEach((property, value) ->
                        notes.add(
                                "platform %s is synthetic: %s=%s"
                                        .formatted(platform.name(), property, value)));
        return List.copyOf(notes);
    }

    private static Optional<String> note(Choice choice, Policy policy, Platform platform) {
        if (choice.mechanism().equals("spec-ctrl") && isMoot(policy, platform)) {
            return Optional.of(
                    "%s: no effect, %s switches SPEC_CTRL itself (V_SPEC_CTRL)"
                            .formatted(choice, platform.name()));
        }
        return Policies.find(choice)
                .filter(variant -> Applicability.isCounterfactual(variant, platform))
                .map(_ ->
                        "%s: counterfactual, the rule was proposed for %s only"
                                .formatted(
                                        choice, platform.vendor() == Vendor.SVM ? "VMX" : "SVM"));
    }

    /// Whether SPEC_CTRL is passed through whatever the rule: but for the rule that never does.
    private static boolean isMoot(Policy policy, Platform platform) {
        return platform.has("V_SPEC_CTRL")
                && policy.specCtrl().virtual() != VirtualSpecCtrl.UNKNOWN
                && (policy.specCtrl().passedThroughFromStart()
                        || !policy.specCtrl().lift().isNever());
    }

    /// Compares the whole session.
    ///
    /// @param progress told now and then how many events have been read
    public DiffResult run(CostProfile costs, LongConsumer progress) {
        try (ExecutorService other = Executors.newSingleThreadExecutor(Diff::daemon);
                StepReader reader = new StepReader(session)) {
            StepReader.Batch batch = reader.next();
            while (!batch.steps().isEmpty()) {
                compare(batch.steps(), other);
                ops += batch.steps().size();
                progress.accept(batch.order());
                batch = reader.next();
            }
        }
        return result(costs);
    }

    /// Compares the whole session in the calling thread alone: for who has others for other sessions.
    ///
    /// @param progress told now and then how many events have been read
    public DiffResult runAlone(CostProfile costs, LongConsumer progress) {
        StepReader.each(
                session,
                batch -> {
                    compare(batch.steps(), Runnable::run);
                    ops += batch.steps().size();
                    progress.accept(batch.order());
                });
        return result(costs);
    }

    /// How many guest ops have been compared so far; for whoever is told of progress.
    public long ops() {
        return ops;
    }

    private static Thread daemon(Runnable task) {
        Thread thread = new Thread(task, "trapline-diff");
        thread.setDaemon(true);
        return thread;
    }

    /// A batch of steps with what both sides made of it.
    private record Compared(List<Recorded> steps, Outcomes base, Outcomes candidate) {

        static final Compared NOTHING = new Compared(List.of(), null, null);

        Nearby at(int i) {
            Recorded step = steps.get(i);
            return new Nearby(
                    step.vcpu(),
                    step.op(),
                    Describe.step(step.step()),
                    base.events().get(i),
                    candidate.events().get(i));
        }
    }

    private void compare(List<Recorded> steps, Executor other) {
        boolean keep = divergence == null || following.size() < NEARBY;
        FutureTask<Outcomes> running = new FutureTask<>(() -> candidate.run(steps, keep));
        other.execute(running);
        Outcomes was = base.run(steps, keep);
        Compared batch = new Compared(steps, was, await(running));
        for (int i = 0; i < steps.size(); i++) {
            if (divergence == null) {
                part(batch, i);
            } else if (following.size() < NEARBY) {
                following.add(batch.at(i));
            }
            result(steps.get(i), was.results()[i], batch.candidate().results()[i]);
        }
        last = divergence == null ? batch : Compared.NOTHING;
    }

    /// Whether the guest could tell a step's results apart.
    private void result(Recorded step, GuestEvent was, GuestEvent is) {
        if (was == null ? is != null : is == null || !was.seen().equals(is.seen())) {
            differenceCount++;
            if (differences.size() < MOST_DIFFERENCES) {
                differences.add(new Difference(step.vcpu(), step.op(), was, is));
            }
        }
    }

    private static Outcomes await(Future<Outcomes> running) {
        try {
            return running.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        } catch (ExecutionException e) {
            StepReader.rethrow(e.getCause());
            throw new IllegalStateException(e.getCause());
        }
    }

    /// Where the events of one step differ, if they do.
    private void part(Compared batch, int step) {
        List<Envelope> before = batch.base().events().get(step);
        List<Envelope> after = batch.candidate().events().get(step);
        int at = firstDifference(before, after);
        if (at < 0) {
            return;
        }
        Envelope was = at < before.size() ? before.get(at) : null;
        Envelope is = at < after.size() ? after.get(at) : null;
        Nearby here = batch.at(step);
        divergence =
                new Divergence(
                        here.vcpu(),
                        here.op(),
                        here.name(),
                        at,
                        List.copyOf(before),
                        List.copyOf(after),
                        "%s: %s; %s: %s"
                                .formatted(
                                        basePolicy.expression(),
                                        describe(was),
                                        candidatePolicy.expression(),
                                        describe(is)),
                        nearbyBefore(batch, step),
                        List.of());
    }

    /// The steps before one, from the batch before if need be.
    private List<Nearby> nearbyBefore(Compared batch, int step) {
        List<Nearby> nearby = new ArrayList<>();
        for (int i = step - NEARBY; i < step; i++) {
            int earlier = last.steps().size() + i;
            if (i >= 0) {
                nearby.add(batch.at(i));
            } else if (earlier >= 0) {
                nearby.add(last.at(earlier));
            }
        }
        return nearby;
    }

    private String describe(Envelope envelope) {
        return envelope == null
                ? "nothing more for this op"
                : new Describe(session.vendor()).event(envelope.event());
    }

    private static int firstDifference(List<Envelope> before, List<Envelope> after) {
        int common = Math.min(before.size(), after.size());
        for (int i = 0; i < common; i++) {
            Event was = before.get(i).event();
            if (!was.equals(after.get(i).event())) {
                return i;
            }
        }
        return before.size() == after.size() ? -1 : common;
    }

    /// How many events of the vCPUs' making are on one side only.
    private int setupDifferences() {
        List<Event> before =
                new ArrayList<>(base.beginning().stream().map(Envelope::event).toList());
        int onlyAfter = 0;
        for (Envelope envelope : candidate.beginning()) {
            if (!before.remove(envelope.event())) {
                onlyAfter++;
            }
        }
        return before.size() + onlyAfter;
    }

    private static Side side(Policy.Identity policy, DiffSide side, CostProfile costs) {
        return new Side(
                policy,
                side.tally(),
                Projection.of(side.tally(), costs),
                side.rules().violations(),
                side.bins());
    }

    private DiffResult result(CostProfile costs) {
        Side before = side(basePolicy, base, costs);
        Side after = side(candidatePolicy, candidate, costs);
        Platform platform = session.machines().platform();
        if (platform.has("ERAPS")
                && (before.tally().returns().used() || after.tally().returns().used())) {
            notes.add(
                    "return addresses: no source says, so it is assumed that %s; record on --cpu %s,PROPERTY=true|false to assume otherwise. Returns that find no entry, or a wrong one, add no cycles"
                            .formatted(platform.predictor().assumptions(), platform.name()));
        }
        return new DiffResult(
                session,
                costs,
                before,
                after,
                Comparison.of(before.projection(), after.projection(), costs),
                Optional.ofNullable(divergence).map(d -> d.followedBy(List.copyOf(following))),
                new GuestVisible(differenceCount, List.copyOf(differences)),
                setup,
                List.copyOf(notes),
                Optional.empty());
    }
}

package trapline.verify;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import trapline.engine.cost.CostProfile;
import trapline.engine.cpu.Platform;
import trapline.engine.cpu.Platforms;
import trapline.engine.cpu.VcpuModel;
import trapline.engine.event.Envelope;
import trapline.engine.exit.OfferedModel;
import trapline.engine.guest.GuestFile;
import trapline.engine.policy.Policies;
import trapline.engine.policy.Policy;
import trapline.engine.sim.Execution;
import trapline.engine.sim.Ingredients;
import trapline.engine.state.MachineState;
import trapline.journal.Journal;
import trapline.recorder.Driver;
import trapline.recorder.Plan;
import trapline.recorder.Recorded;
import trapline.recorder.Recorder;
import trapline.replayer.Diff;
import trapline.replayer.DiffResult;
import trapline.replayer.Session;

/// Guests to run and to record, as a user would name them.
public final class Guests {

    private static final String PROGRAM = "test";
    private static final long SEED = 7;

    private Guests() {}

    /// What is recorded when `guest` (built in, or a file of `resources/guests`) runs.
    public static Plan plan(String guest, String cpu, String policyName) {
        return plan(guest, cpu, policyName, SEED);
    }

    static Plan plan(String guest, String cpu, String policyName, long seed) {
        GuestFile file =
                GuestFile.builtIn().contains(guest)
                        ? GuestFile.find(guest, _ -> Optional.empty())
                        : GuestFile.of(text("/guests/" + guest + ".yaml"), guest);
        return plan(file, cpu, policyName, seed);
    }

    /// The same for a scenario's text.
    static Plan scenario(String text, String cpu, String policyName) {
        return plan(GuestFile.of(text, "scenario"), cpu, policyName, SEED);
    }

    private static Plan plan(GuestFile file, String cpu, String policyName, long seed) {
        Platform platform = new Platforms(_ -> Optional.empty()).resolve(cpu);
        Policy policy = policy(policyName);
        VcpuModel offered = OfferedModel.of(platform, policy);
        Ingredients ingredients =
                new Ingredients(
                        file.kind(),
                        file.name(),
                        file.text(),
                        seed,
                        file.guest(platform.vendor(), Optional.empty()).vcpus(),
                        platform.description().text(),
                        file.wishes().guestCpu().map(offered::with).orElse(offered).text(),
                        policy.identity().text());
        return new Plan(ingredients, cpu, policyName, Optional.empty());
    }

    static Policy policy(String name) {
        return new Policies(_ -> Optional.empty()).resolve(name);
    }

    /// The text of a file of `resources/guests`, by lines.
    static List<String> file(String guest) {
        return text("/guests/" + guest + ".yaml").lines().toList();
    }

    private static String text(String resource) {
        try (InputStream in = Guests.class.getResourceAsStream(resource)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Recorder recorder(Journal journal) {
        return new Recorder(journal, PROGRAM, InstantSource.system());
    }

    public static Recorded record(Journal journal, Plan plan) {
        return record(recorder(journal), plan);
    }

    static Recorded record(Recorder recorder, Plan plan) {
        return recorder.record(plan, Driver.guest(plan.ingredients()), () -> true, _ -> {});
    }

    /// What a session comes to under its own policy and under another one.
    static DiffResult diff(Session session, String candidate) {
        CostProfile costs = CostProfile.find("intel", _ -> Optional.empty());
        return new Diff(session, session.policy(), policy(candidate)).run(costs, _ -> {});
    }

    /// Runs a guest without a log.
    ///
    /// @param sink receives each event and the state after it
    static MachineState run(Plan plan, BiConsumer<Envelope, MachineState> sink) {
        Ingredients parts = plan.ingredients();
        MachineState[] machine = new MachineState[1];
        Execution execution =
                parts.machines(parts.policy())
                        .execution(parts.world(), envelope -> sink.accept(envelope, machine[0]));
        machine[0] = execution.machine();
        execution.start();
        execution.run(parts.guest().start(parts.seed()));
        return machine[0];
    }

    /// All events of a guest that runs without a log.
    static List<Envelope> events(Plan plan) {
        List<Envelope> events = new ArrayList<>();
        run(plan, (envelope, _) -> events.add(envelope));
        return events;
    }
}

package trapline.dashboard;

import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import trapline.engine.cost.CostProfile;
import trapline.engine.cpu.Platform;
import trapline.engine.cpu.Platforms;
import trapline.engine.cpu.VcpuModel;
import trapline.engine.exit.OfferedModel;
import trapline.engine.guest.GuestFile;
import trapline.engine.policy.Policies;
import trapline.engine.policy.Policy;
import trapline.engine.sim.Ingredients;
import trapline.journal.Journal;
import trapline.journal.Journals;
import trapline.recorder.Driver;
import trapline.recorder.Plan;
import trapline.recorder.Recorder;
import trapline.replayer.Diff;
import trapline.replayer.DiffResult;
import trapline.replayer.Session;

/// Records guests into a folder and compares policies on them, as the program does.
final class Diffs implements AutoCloseable {

    /// An eIBRS guest that sets SSBD now and then and exits for other reasons more often.
    static final String SSBD =
            """
            scenario: ssbd-now-and-then
            program:
              - wrmsr: {msr: IA32_SPEC_CTRL, value: 0x1}
              - repeat: %d
                do:
                  - wrmsr: {msr: IA32_SPEC_CTRL, value: 0x5}
                  - repeat: 24
                    do:
                      - run: 2000
                      - cpuid: {leaf: 0x1}
                      - out: {port: 0x3f8, size: 1, value: 0x41}
                  - wrmsr: {msr: IA32_SPEC_CTRL, value: 0x1}
            """;

    /// A guest that an older tree answers with #GP.
    static final String FLUSH =
            """
            scenario: flush
            program:
              - repeat: %d
                do:
                  - run: 1000
                  - wrmsr: {msr: IA32_FLUSH_CMD, value: 0x1}
            """;

    private final Journal journal;
    private final List<Session> open = new ArrayList<>();
    private final Map<String, String> files;

    /// @param files the texts of a user's own policies, by name
    Diffs(Path folder, Map<String, String> files) {
        journal = Journals.open("file:" + folder, Optional.empty());
        this.files = files;
    }

    Diffs(Path folder) {
        this(folder, Map.of());
    }

    private Policy policy(String expression) {
        return new Policies(name -> Optional.ofNullable(files.get(name))).resolve(expression);
    }

    static CostProfile costs(String name) {
        return CostProfile.find(name, _ -> Optional.empty());
    }

    DiffResult of(String guest, String base, String candidate) {
        return of(guest, "guest", base, candidate, costs("intel"));
    }

    DiffResult of(String guest, String name, String base, String candidate, CostProfile costs) {
        Platform platform = new Platforms(_ -> Optional.empty()).resolve("Icelake-Server");
        Policy before = policy(base);
        VcpuModel model = OfferedModel.of(platform, before);
        Ingredients ingredients =
                new Ingredients(
                        GuestFile.Kind.SCENARIO,
                        name,
                        guest,
                        1,
                        1,
                        platform.description().text(),
                        model.text(),
                        before.identity().text());
        Plan plan = new Plan(ingredients, platform.name(), base, Optional.empty());
        String recorded =
                new Recorder(journal, "test", InstantSource.system())
                        .record(plan, Driver.guest(ingredients), () -> true, _ -> {})
                        .session();
        Session session = Session.open(journal, recorded);
        open.add(session);
        return new Diff(session, before, policy(candidate)).run(costs, _ -> {});
    }

    @Override
    public void close() {
        open.forEach(Session::close);
        journal.close();
    }
}

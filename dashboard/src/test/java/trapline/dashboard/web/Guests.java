package trapline.dashboard.web;

import java.time.InstantSource;
import java.util.Optional;
import trapline.engine.cpu.Platform;
import trapline.engine.cpu.Platforms;
import trapline.engine.cpu.VcpuModel;
import trapline.engine.exit.OfferedModel;
import trapline.engine.guest.GuestFile;
import trapline.engine.policy.Policies;
import trapline.engine.policy.Policy;
import trapline.engine.sim.Ingredients;
import trapline.journal.Journal;
import trapline.recorder.Driver;
import trapline.recorder.Plan;
import trapline.recorder.Recorder;

/// Records guests, as the program does.
final class Guests {

    /// A guest of two vCPUs with exits of several reasons.
    static final String BUSY =
            """
            scenario: busy
            vcpus: 2
            program:
              - wrmsr: {msr: IA32_SPEC_CTRL, value: 0x1}
              - repeat: %d
                do:
                  - run: 2000
                  - cpuid: {leaf: 0x1}
                  - wrmsr: {msr: IA32_SPEC_CTRL, value: 0x5}
                  - out: {port: 0x3f8, size: 1, value: 0x41}
                  - wrmsr: {msr: IA32_SPEC_CTRL, value: 0x1}
            """;

    private Guests() {}

    /// The session's name.
    static String record(Journal journal, String guest) {
        Platform platform = new Platforms(_ -> Optional.empty()).resolve("Icelake-Server");
        Policy policy = new Policies(_ -> Optional.empty()).resolve("kvm-6.1");
        VcpuModel model = OfferedModel.of(platform, policy);
        Ingredients ingredients =
                new Ingredients(
                        GuestFile.Kind.SCENARIO,
                        "busy",
                        guest,
                        1,
                        2,
                        platform.description().text(),
                        model.text(),
                        policy.identity().text());
        Plan plan = new Plan(ingredients, platform.name(), "kvm-6.1", Optional.empty());
        return new Recorder(journal, "test", InstantSource.system())
                .record(plan, Driver.guest(ingredients), () -> true, _ -> {})
                .session();
    }
}

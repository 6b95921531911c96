package trapline.fleet;

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

/// Records sessions as the program does.
final class Sessions {

    private Sessions() {}

    static Policy policy(String expression) {
        return new Policies(_ -> Optional.empty()).resolve(expression);
    }

    /// A guest that sets SSBD so often.
    private static String guest(int repeats) {
        return """
        scenario: ssbd-%d
        program:
          - repeat: %d
            do:
              - wrmsr: {msr: IA32_SPEC_CTRL, value: 0x5}
              - run: 2000
              - cpuid: {leaf: 0x1}
              - wrmsr: {msr: IA32_SPEC_CTRL, value: 0x1}
        """
                .formatted(repeats, repeats);
    }

    /// Records the guest and returns the session's id.
    static String record(Journal journal, int repeats, String cpu) {
        Platform platform = new Platforms(_ -> Optional.empty()).resolve(cpu);
        Policy policy = policy("kvm-6.1");
        VcpuModel model = OfferedModel.of(platform, policy);
        Ingredients ingredients =
                new Ingredients(
                        GuestFile.Kind.SCENARIO,
                        "ssbd-" + repeats,
                        guest(repeats),
                        1,
                        1,
                        platform.description().text(),
                        model.text(),
                        policy.identity().text());
        return new Recorder(journal, "test", InstantSource.system())
                .record(
                        new Plan(ingredients, cpu, "kvm-6.1", Optional.empty()),
                        Driver.guest(ingredients),
                        () -> true,
                        _ -> {})
                .session();
    }
}

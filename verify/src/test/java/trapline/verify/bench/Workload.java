package trapline.verify.bench;

import java.util.Optional;
import trapline.engine.cpu.Platform;
import trapline.engine.cpu.Platforms;
import trapline.engine.exit.OfferedModel;
import trapline.engine.guest.GuestFile;
import trapline.engine.policy.Policies;
import trapline.engine.policy.Policy;
import trapline.engine.sim.Ingredients;
import trapline.recorder.Plan;

/// The guest that is measured: MSR writes that exit and that do not, CPUID, I/O, a timer.
final class Workload {

    /// Events that one round of the program makes, about.
    private static final double EVENTS_A_ROUND = 29;

    private Workload() {}

    static Plan plan(String cpu, String policyName, long events) {
        String text =
                """
                scenario: benchmark
                program:
                  - wrmsr: {msr: IA32_SPEC_CTRL, value: 0x1}
                  - repeat: %d
                    do:
                      - run: 20000
                      - wrmsr: {msr: IA32_SPEC_CTRL, value: 0x5}
                      - rdmsr: IA32_SPEC_CTRL
                      - cpuid: {leaf: 0x1}
                      - wrmsr: {msr: IA32_TSC_DEADLINE, value: {random: [0x10000, 0xffffff]}}
                      - run: {random: [500, 5000]}
                      - wrmsr: {msr: IA32_SPEC_CTRL, value: 0x1}
                      - wrmsr: {msr: FS_BASE, value: {random: [0, 0x7fffffffffff]}}
                      - out: {port: 0x20, size: 1, value: 0x20}
                      - host-interrupt: {vector: 0xec}
                """
                        .formatted(Math.max(1, Math.round(events / EVENTS_A_ROUND)));
        GuestFile guest = GuestFile.of(text, "benchmark");
        Platform platform = new Platforms(_ -> Optional.empty()).resolve(cpu);
        Policy policy = new Policies(_ -> Optional.empty()).resolve(policyName);
        Ingredients ingredients =
                new Ingredients(
                        guest.kind(),
                        guest.name(),
                        guest.text(),
                        1,
                        1,
                        platform.description().text(),
                        OfferedModel.of(platform, policy).text(),
                        policy.identity().text());
        return new Plan(ingredients, cpu, policyName, Optional.empty());
    }
}

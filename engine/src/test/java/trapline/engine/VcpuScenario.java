package trapline.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import trapline.engine.cpu.Platform;
import trapline.engine.cpu.Platforms;
import trapline.engine.cpu.VcpuModel;
import trapline.engine.event.Envelope;
import trapline.engine.event.InputEvent;
import trapline.engine.exit.OfferedModel;
import trapline.engine.guest.Guest;
import trapline.engine.guest.Scenario;
import trapline.engine.policy.Policies;
import trapline.engine.policy.Policy;
import trapline.engine.sim.Execution;
import trapline.engine.sim.Machines;
import trapline.engine.sim.ModelWorld;
import trapline.engine.text.Yaml;

/// A platform, a policy and a few ops: what a test runs to see which events come out.
///
/// Ops are written as users write them, in the grammar of scenario files.
public record VcpuScenario(
        String cpu,
        String policy,
        String file,
        String guestCpu,
        int vcpus,
        long seed,
        String platformFile) {

    private static final Map<String, Platform> PLATFORMS = new ConcurrentHashMap<>();
    private static final Map<String, Policy> POLICIES = new ConcurrentHashMap<>();

    public static VcpuScenario on(String cpu) {
        return new VcpuScenario(cpu, "kvm-6.1", "", "{}", 1, 1, "");
    }

    public VcpuScenario under(String newPolicy) {
        return new VcpuScenario(cpu, newPolicy, "", guestCpu, vcpus, seed, platformFile);
    }

    /// A policy file of a user's.
    public VcpuScenario file(String text) {
        return new VcpuScenario(cpu, "my-policy.yaml", text, guestCpu, vcpus, seed, platformFile);
    }

    /// The platform file of a user's that the cpu names.
    public VcpuScenario platformFile(String text) {
        return new VcpuScenario(cpu, policy, file, guestCpu, vcpus, seed, text);
    }

    /// QEMU's properties over the offered vCPU model, as a mapping of YAML.
    public VcpuScenario guestCpu(String properties) {
        return new VcpuScenario(cpu, policy, file, properties, vcpus, seed, platformFile);
    }

    /// Every vCPU runs the same program.
    public VcpuScenario vcpus(int count) {
        return new VcpuScenario(cpu, policy, file, guestCpu, count, seed, platformFile);
    }

    public VcpuScenario seed(long newSeed) {
        return new VcpuScenario(cpu, policy, file, guestCpu, vcpus, newSeed, platformFile);
    }

    public Platform platform() {
        return PLATFORMS.computeIfAbsent(
                cpu + "\n" + platformFile,
                _ ->
                        new Platforms(_ ->
                                Optional.of(platformFile).filter(text -> !text.isEmpty()))
                                .resolve(cpu));
    }

    public Policy resolved() {
        return POLICIES.computeIfAbsent(policy + "\n" + file, _ -> read());
    }

    private Policy read() {
        return new Policies(_ -> Optional.of(file).filter(text -> !text.isEmpty())).resolve(policy);
    }

    public VcpuModel model() {
        VcpuModel offered = OfferedModel.of(platform(), resolved());
        return offered.with(Yaml.parse(guestCpu, "guest-cpu"));
    }

    public Machines machines(int count) {
        return machines(count, List.of());
    }

    /// @param wishes what userspace asks of the VM before it has vCPUs
    public Machines machines(int count, List<InputEvent> wishes) {
        return new Machines(platform(), model(), resolved(), count, wishes);
    }

    /// Runs a list of ops.
    public Recording run(String program) {
        return runText(
                "scenario: test\nvcpus: " + vcpus + "\nprogram:\n" + program.indent(2), "test");
    }

    /// Runs a list of ops on each vCPU, from vCPU 0 on.
    public Recording runEach(String... programs) {
        StringBuilder text = new StringBuilder("scenario: test\nvcpu:\n");
        for (int vcpu = 0; vcpu < programs.length; vcpu++) {
            text.append("  ").append(vcpu).append(":\n").append(programs[vcpu].indent(4));
        }
        return runText(text.toString(), "test");
    }

    /// Runs a whole scenario file.
    public Recording runText(String text, String file) {
        Scenario scenario = Scenario.parse(text, file);
        return run(scenario.on(platform().vendor(), Optional.empty()), scenario.vm());
    }

    /// Runs a guest, then folds its events into a fresh machine, which must end up in the same state.
    public Recording run(Guest guest) {
        return run(guest, List.of());
    }

    private Recording run(Guest guest, List<InputEvent> wishes) {
        List<Envelope> events = new ArrayList<>();
        Machines machines = machines(guest.vcpus(), wishes);
        Execution execution =
                machines.execution(new ModelWorld(seed, guest.vcpus(), guest::vmm), events::add);
        execution.start();
        execution.run(guest.start(seed));
        Recording recording = new Recording(events, execution.machine(), machines);
        recording.assertFoldsAgain();
        return recording;
    }
}

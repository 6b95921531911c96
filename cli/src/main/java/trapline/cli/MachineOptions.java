package trapline.cli;

import java.util.Optional;
import picocli.CommandLine.Option;
import trapline.engine.cpu.Platform;
import trapline.engine.cpu.Platforms;
import trapline.engine.cpu.VcpuModel;
import trapline.engine.exit.OfferedModel;
import trapline.engine.guest.GuestFile;
import trapline.engine.policy.Policies;
import trapline.engine.policy.Policy;
import trapline.engine.sim.Ingredients;
import trapline.recorder.Plan;

/// What runs, on what, under which policy.
final class MachineOptions {

    private static final String DEFAULT_CPU = "Icelake-Server";
    private static final String DEFAULT_POLICY = "kvm-6.1";

    @Option(
            names = "--guest",
            required = true,
            paramLabel = "GUEST",
            description = "A built-in guest (see 'guests'), a scenario file or an MSR log.")
    String guest;

    @Option(
            names = "--cpu",
            paramLabel = "CPU",
            description = {
                "The host platform: a name (see 'cpus') or a file, then ,PROPERTY=true|false ...",
                "Default: what the guest asks for, else " + DEFAULT_CPU
            })
    String cpu;

    @Option(
            names = "--policy",
            paramLabel = "POLICY",
            description = {
                "BASE[,MECHANISM=VARIANT]... (see 'policies') or a file.",
                "Default: what the guest asks for, else " + DEFAULT_POLICY
            })
    String policy;

    @Option(names = "--vcpus", paramLabel = "N", description = "Default: what the guest asks for.")
    Integer vcpus;

    @Option(
            names = "--seed",
            paramLabel = "S",
            defaultValue = "1",
            description = "Seed of everything random. Default: ${DEFAULT-VALUE}")
    long seed;

    static MachineOptions of(String guest, String policy) {
        MachineOptions options = new MachineOptions();
        options.guest = guest;
        options.policy = policy;
        options.seed = 1;
        return options;
    }

    /// Everything named is looked up and checked here.
    Plan plan() {
        GuestFile file = GuestFile.find(guest, UserFiles::text);
        String cpuName = Optional.ofNullable(cpu).or(() -> file.wishes().cpu()).orElse(DEFAULT_CPU);
        Platform platform = new Platforms(UserFiles::text).resolve(cpuName);
        String policyName =
                Optional.ofNullable(policy).or(() -> file.wishes().policy()).orElse(DEFAULT_POLICY);
        Policy resolved = policy(policyName);
        VcpuModel offered = OfferedModel.of(platform, resolved);
        VcpuModel model = file.wishes().guestCpu().map(offered::with).orElse(offered);
        int count = file.guest(platform.vendor(), Optional.ofNullable(vcpus)).vcpus();
        Ingredients ingredients =
                new Ingredients(
                        file.kind(),
                        file.name(),
                        file.text(),
                        seed,
                        count,
                        platform.description().text(),
                        model.text(),
                        resolved.identity().text());
        return new Plan(ingredients, cpuName, policyName, Optional.empty());
    }

    static Policy policy(String expression) {
        Policy policy = new Policies(UserFiles::text).resolve(expression);
        policy.specCtrl().lift().check();
        return policy;
    }
}

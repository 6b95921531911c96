package trapline.cli;

import java.util.Optional;
import java.util.function.Function;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import trapline.engine.cost.CostProfile;
import trapline.engine.cpu.Platform;
import trapline.engine.cpu.Platforms;
import trapline.engine.cpu.VcpuModel;
import trapline.engine.exit.OfferedModel;
import trapline.engine.guest.Guest;
import trapline.engine.guest.GuestFile;
import trapline.engine.guest.MsrLog;
import trapline.engine.guest.MsrLog.Malformed;
import trapline.engine.policy.Policies;
import trapline.engine.policy.Policy;
import trapline.engine.sim.Ingredients;
import trapline.engine.text.InputException;
import trapline.engine.text.Node;
import trapline.recorder.Plan;
import trapline.replayer.Session;

/// What runs, on what, under which policy.
final class MachineOptions {

    private static final String DEFAULT_CPU = "Icelake-Server";
    private static final String DEFAULT_POLICY = "kvm-6.1";
    private static final int MOST_VCPUS = 1024;
    private static final String SESSION = "last|[0-9a-z]{1,12}";

    @Option(
            names = "--guest",
            required = true,
            paramLabel = "GUEST",
            description =
                    "A built-in guest (see 'guests'), a scenario file, an MSR log or an imported"
                            + " session; - for standard input.")
    String guest;

    @Option(
            names = "--cpu",
            paramLabel = "CPU",
            description = {
                "The host platform: NAME[,PROPERTY=true|false]... (see 'cpus'), or a file for NAME.",
                "Default: what the guest asks for, else " + DEFAULT_CPU
            })
    String cpu;

    @Option(
            names = "--policy",
            paramLabel = "POLICY",
            description = {
                LogCommand.POLICY,
                "Default: what the guest asks for, else " + DEFAULT_POLICY
            })
    String policy;

    @Option(
            names = "--vcpus",
            paramLabel = "N",
            description = "1 to 1024. Default: what the guest asks for, else 1")
    Integer vcpus;

    @Option(
            names = "--seed",
            paramLabel = "S",
            defaultValue = "1",
            description = "Seed of everything random, 64 bits. Default: ${DEFAULT-VALUE}")
    long seed;

    @Spec(Spec.Target.MIXEE)
    CommandSpec command;

    /// Where a guest that is not built in is found.
    Function<String, Optional<String>> files = UserFiles::text;

    private Optional<Malformed> malformed = Optional.empty();

    static MachineOptions of(String guest, String policy) {
        MachineOptions options = new MachineOptions();
        options.guest = guest;
        options.policy = policy;
        options.seed = 1;
        return options;
    }

    /// Everything named is looked up and checked here.
    Plan plan() {
        if (vcpus != null && (vcpus < 1 || vcpus > MOST_VCPUS)) {
            throw new ParameterException(
                    command.commandLine(),
                    "--vcpus: expected 1 to %d, found %d".formatted(MOST_VCPUS, vcpus));
        }
        GuestFile file = GuestFile.find(guest, files);
        GuestFile.Wishes wishes = file.wishes();
        String cpuName = chosen(cpu, wishes.cpu(), DEFAULT_CPU);
        Platform platform =
                resolve(
                        cpu == null ? wishes.cpu() : Optional.empty(),
                        cpuName,
                        MachineOptions::cpu);
        String policyName = chosen(policy, wishes.policy(), DEFAULT_POLICY);
        Policy resolved =
                resolve(
                        policy == null ? wishes.policy() : Optional.empty(),
                        policyName,
                        MachineOptions::policy);
        VcpuModel offered = OfferedModel.of(platform, resolved);
        VcpuModel model = wishes.guestCpu().map(offered::with).orElse(offered);
        Guest program = file.guest(platform.vendor(), Optional.ofNullable(vcpus));
        if (program instanceof MsrLog log) {
            malformed = Optional.of(log.malformed());
        }
        Ingredients ingredients =
                new Ingredients(
                        file.kind(),
                        file.name(),
                        file.text(),
                        seed,
                        program.vcpus(),
                        platform.description().text(),
                        model.text(),
                        resolved.identity().text());
        return new Plan(ingredients, cpuName, policyName, Optional.empty());
    }

    /// Whether the guest is none that is known, and could be a session by its name.
    boolean mayBeSession() {
        return guest.matches(SESSION)
                && !GuestFile.builtIn().contains(guest)
                && files.apply(guest).isEmpty();
    }

    /// An imported session on the machine that the options name.
    Session placed(Session session, Console console) {
        if (!session.imported()) {
            throw new InputException(
                    InputException.Kind.NOT_APPLICABLE,
                    "",
                    "session %s is no imported trace; 'replay %s --policy POLICY --save' runs it again"
                            .formatted(session.name(), session.name()));
        }
        if (vcpus != null) {
            throw new ParameterException(
                    command.commandLine(),
                    "--vcpus: session %s was traced with %d"
                            .formatted(session.name(), session.vcpus()));
        }
        Policy resolved = policy(policy == null ? DEFAULT_POLICY : policy);
        return TraceOptions.on(session, cpu, resolved, seed, console);
    }

    /// What of the guest's log was left out, if it is one; known after [#plan].
    Optional<Malformed> malformed() {
        return malformed;
    }

    private static String chosen(String option, Optional<Node> wish, String otherwise) {
        return option != null ? option : wish.map(Node::text).orElse(otherwise);
    }

    /// A name that is wrong in the guest's file is an error at its place there.
    private static <T> T resolve(Optional<Node> wish, String name, Function<String, T> lookUp) {
        try {
            return lookUp.apply(name);
        } catch (InputException e) {
            if (wish.isPresent() && e.place().isEmpty()) {
                throw wish.get().error(e.kind(), "%s", e.getMessage());
            }
            throw e;
        }
    }

    static Platform cpu(String name) {
        Platform platform = new Platforms(UserFiles::text).resolve(name);
        CostProfile.find(platform.description().costs(), UserFiles::text);
        return platform;
    }

    static Policy policy(String expression) {
        Policy policy = new Policies(UserFiles::text).resolve(expression);
        policy.specCtrl().check();
        return policy;
    }
}

package trapline.cli;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import trapline.engine.policy.Policy;
import trapline.engine.state.Vendor;
import trapline.replayer.Imported;
import trapline.replayer.Session;

/// What an imported trace ran on, which the trace itself does not say.
final class TraceOptions {

    @Option(
            names = "--as",
            paramLabel = "POLICY",
            description =
                    "For an imported trace: the policy that stands for the host it was recorded on.")
    String as;

    @Option(
            names = "--cpu",
            paramLabel = "CPU",
            description = {
                "For an imported trace: the host platform (see 'cpus').",
                "Default: " + Machine.VMX + ", or " + Machine.SVM + " where its exits are AMD's"
            })
    String cpu;

    @Spec(Spec.Target.MIXEE)
    CommandSpec command;

    /// The platforms that stand for a vendor's where nobody names one.
    static final class Machine {
        static final String VMX = "Icelake-Server";
        static final String SVM = "EPYC-Milan";

        private Machine() {}

        static String of(Imported.Seen seen) {
            return seen.vendor().orElse(Vendor.VMX) == Vendor.SVM ? SVM : VMX;
        }
    }

    /// The policy that the recorded host is taken to have had.
    Policy recording(Policy otherwise) {
        return as == null ? otherwise : MachineOptions.policy(as);
    }

    /// The session with the machine it was recorded on; others have theirs.
    Session placed(Session session, Policy otherwise, Console console) {
        if (!session.imported()) {
            refuse(as, "--as", session);
            refuse(cpu, "--cpu", session);
            return session;
        }
        return on(session, cpu, recording(otherwise), 1, console);
    }

    static Session on(Session session, String cpu, Policy policy, long seed, Console console) {
        Imported.Seen seen = Imported.seen(session);
        String name = cpu == null ? Machine.of(seen) : cpu;
        if (cpu == null) {
            console.note("trapline: taken to have run on %s; --cpu names another", name);
        }
        return Imported.on(session, seen, name, MachineOptions.cpu(name), policy, seed);
    }

    private void refuse(String option, String name, Session session) {
        if (option != null) {
            throw new ParameterException(
                    command.commandLine(),
                    "%s: session %s is no imported trace, it has its policy and its platform"
                            .formatted(name, session.name()));
        }
    }
}

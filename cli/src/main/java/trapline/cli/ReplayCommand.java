package trapline.cli;

import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import trapline.engine.cpu.World;
import trapline.engine.policy.Policy;
import trapline.engine.sim.Execution;
import trapline.engine.sim.Ingredients;
import trapline.journal.Journal;
import trapline.recorder.Driver;
import trapline.recorder.Plan;
import trapline.recorder.Recorded;
import trapline.replayer.Diversion;
import trapline.replayer.ResultTree;
import trapline.replayer.Session;

/// `replay`: a session's ops under another policy.
@Command(
        name = "replay",
        description = "Runs a session's ops again under another policy and counts what happens.",
        footer = {
            "",
            "Examples:",
            "  trapline replay last --policy kvm-6.6",
            "  trapline replay last --policy my.yaml --save"
        })
final class ReplayCommand extends LogCommand implements Callable<Integer> {

    @Parameters(paramLabel = "SESSION", description = SESSION)
    String session;

    @Option(names = "--policy", paramLabel = "POLICY", required = true, description = POLICY)
    String policy;

    @Option(
            names = "--save",
            description = "Record it as a session of its own in the same log, and print its id.")
    boolean save;

    @Mixin TraceOptions trace;

    @Override
    public Integer call() {
        Console console = console();
        Policy resolved = MachineOptions.policy(policy);
        try (Journal journal = save ? openLogToExtend() : openLogToRead();
                Session found = Session.open(journal, session)) {
            Session opened = trace.placed(found, resolved, console);
            if (save) {
                Recorded recorded = save(journal, opened, resolved);
                RecordCommand.print(recorded, console);
                return (recorded.closed() ? ExitCode.DONE : ExitCode.NO).number();
            }
            try (Console.Progress progress = console.progress("replaying", -1)) {
                Diversion.Result result = Diversion.run(opened, resolved, progress);
                if (console.json()) {
                    SequencedMap<String, Object> tree =
                            ResultTree.statistics(opened.name(), policy, result.tally());
                    tree.put("violations", ResultTree.violations(result.violations()));
                    console.document(tree);
                } else {
                    TallyText.print(opened, policy, result.tally(), console);
                    Broken.note(result.violations(), console);
                }
            }
            return ExitCode.DONE.number();
        }
    }

    private Recorded save(Journal journal, Session opened, Policy resolved) {
        Ingredients parts = opened.parts();
        Ingredients other =
                new Ingredients(
                        parts.guestKind(),
                        parts.guestName(),
                        parts.guestText(),
                        parts.seed(),
                        parts.vcpus(),
                        parts.platformText(),
                        parts.modelText(),
                        resolved.identity().text());
        Plan plan =
                new Plan(
                        other,
                        opened.header().machine().platform(),
                        policy,
                        Optional.of(opened.name()));
        return RecordCommand.record(journal, plan, driver(opened), this);
    }

    static Driver driver(Session opened) {
        Diversion diversion = new Diversion(opened);
        return new Driver() {
            @Override
            public World world() {
                return diversion.world();
            }

            @Override
            public void drive(Execution execution, BooleanSupplier goOn) {
                diversion.drive(execution, goOn);
            }
        };
    }
}

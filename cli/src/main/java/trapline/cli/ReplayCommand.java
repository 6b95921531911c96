package trapline.cli;

import java.util.List;
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
import trapline.replayer.FidelityRun;
import trapline.replayer.ResultTree;
import trapline.replayer.Session;
import trapline.replayer.TraceTree;
import trapline.replayer.Unseen;
import trapline.replayer.observed.ObservedCounts;

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
            replay(opened, resolved, console);
            return ExitCode.DONE.number();
        }
    }

    private void replay(Session opened, Policy resolved, Console console) {
        Diversion.Result result;
        Optional<FidelityRun.Result> held = Optional.empty();
        try (Console.Progress progress = console.progress("replaying", -1)) {
            result = Diversion.run(opened, resolved, progress);
            if (opened.imported()) {
                held = Optional.of(FidelityRun.of(opened, trace.recording(resolved), progress));
            }
        }
        List<Unseen> unseen = held.map(run -> run.unseen(result.tally())).orElse(List.of());
        if (console.json()) {
            SequencedMap<String, Object> tree =
                    ResultTree.statistics(opened.name(), policy, result.tally());
            tree.put("violations", ResultTree.violations(result.violations()));
            held.ifPresent(run -> TraceTree.add(tree, run.fidelity(), unseen));
            console.document(tree);
            return;
        }
        TallyText.print(opened, policy, result.tally(), console);
        held.ifPresent(run -> {
            console.line("");
            console.line("note: %s", run.fidelity().describe());
            if (!unseen.isEmpty()) {
                console.line("note: %s", Unseen.describe(unseen));
            }
        });
        Broken.note(result.violations(), console);
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
        return record(journal, plan, opened, this);
    }

    /// Records what a session's ops do; what of an imported trace is none of them is said.
    static Recorded record(Journal journal, Plan plan, Session opened, LogCommand command) {
        Diversion diversion = new Diversion(opened);
        Recorded recorded = RecordCommand.record(journal, plan, driver(diversion), command);
        diversion
                .counts()
                .map(ObservedCounts::left)
                .filter(left -> !left.isEmpty())
                .ifPresent(left -> command.console().note("trapline: left out %s", left));
        return recorded;
    }

    private static Driver driver(Diversion diversion) {
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

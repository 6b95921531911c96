package trapline.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import trapline.dashboard.DiffPage;
import trapline.engine.cost.CostProfile;
import trapline.engine.policy.Policy;
import trapline.engine.state.MachineState;
import trapline.journal.Journal;
import trapline.recorder.Driver;
import trapline.recorder.Plan;
import trapline.recorder.Recorded;
import trapline.replayer.DiffResult;
import trapline.replayer.Rebuild;
import trapline.replayer.ResultTree;
import trapline.replayer.Session;
import trapline.replayer.Verification;
import trapline.replayer.Verify;
import trapline.schemas.StateCodec;

/// `demo`: the main job from end to end, on a real broker.
@Command(
        name = "demo",
        description = {
            "Records a real Linux, rebuilds and verifies it, compares two policies: all in one.",
            "Everything is kept in an embedded Kafka broker. It asks what intercepting FS_BASE would",
            "cost, and then the SPEC_CTRL thread's question; under a minute."
        },
        exitCodeList = "1:A session could not be verified.")
final class DemoCommand extends LogCommand implements Callable<Integer> {

    @Option(
            names = "--html",
            paramLabel = "DIR",
            defaultValue = "trapline-demo",
            description = "Where the reports go. Default: ${DEFAULT-VALUE}")
    Path html;

    private final List<Object> parts = new ArrayList<>();

    @Override
    public Integer call() {
        Console console = console();
        boolean ok;
        try (Journal journal = openLog()) {
            console.note("Log: %s", journal.location());
            ok =
                    part(
                            journal,
                            "A real Linux 6.1 on two vCPUs; what would it cost to intercept FS_BASE?",
                            MachineOptions.of("linux-6.1-tasks-2cpu", "kvm-6.1"),
                            "kvm-6.1,pass-through=-FS_BASE",
                            console);
            ok &=
                    part(
                            journal,
                            "An eIBRS guest that toggles SSBD; does the patch of the SPEC_CTRL thread help it?",
                            MachineOptions.of("ssbd-per-task", "kvm-6.1"),
                            "kvm-6.1,spec-ctrl=v4",
                            console);
        }
        console.note(
                "\nBoth sessions stay in %s. Go on with 'trapline stat last' or 'trapline --help'.",
                main.globals.log);
        if (console.json()) {
            Map<String, Object> tree = new LinkedHashMap<>();
            tree.put("ok", ok);
            tree.put("parts", parts);
            console.document(tree);
        }
        return (ok ? ExitCode.DONE : ExitCode.NO).number();
    }

    private boolean part(
            Journal journal,
            String question,
            MachineOptions machine,
            String candidate,
            Console console) {
        Plan plan = machine.plan();
        console.note("\n== %s\n", question);
        Recorded recorded =
                RecordCommand.record(journal, plan, Driver.guest(plan.ingredients()), this);
        main.interrupt.check();
        console.note(
                "recorded   %s events of session %s",
                Table.number(recorded.events()), recorded.session());
        try (Session session = Session.open(journal, recorded.session())) {
            MachineState rebuilt = new Rebuild(session).atEnd();
            String digest = StateCodec.digest(rebuilt).toString();
            console.note(
                    "rebuilt    the exact state after event %s, digest %s…",
                    Table.number(rebuilt.order()), digest.substring(0, 16));
            Verification verification = verify(journal, recorded, console);
            console.note(
                    "verified   %s",
                    verification.ok() ? "every event came out again, byte for byte" : "NO");
            Policy after = MachineOptions.policy(candidate);
            CostProfile costs = new CostOption().profile(session);
            DiffResult diff = DiffCommand.run(session, session.policy(), after, costs, console);
            Path report = html.resolve(plan.ingredients().guestName() + ".html");
            report = DiffCommand.write(report, DiffPage.of(diff));
            show(verification, diff, report, console);
            return verification.ok();
        }
    }

    private static Verification verify(Journal journal, Recorded recorded, Console console) {
        try (Console.Progress progress = console.progress("verifying", recorded.events())) {
            return Verify.of(journal, recorded.session(), progress);
        }
    }

    private void show(Verification verification, DiffResult diff, Path report, Console console) {
        if (console.json()) {
            Map<String, Object> part = new LinkedHashMap<>();
            part.put("verify", ResultTree.of(verification));
            part.put("diff", ResultTree.of(diff));
            part.put("html", report.toString());
            parts.add(part);
        } else {
            console.note("");
            console.out().print(DiffText.of(diff, false));
            console.line("report: %s", report);
            console.out().flush();
        }
    }
}

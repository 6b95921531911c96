package trapline.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import trapline.engine.cost.CostProfile;
import trapline.fleet.diff.FleetRuns;
import trapline.fleet.diff.FleetRuns.Question;
import trapline.fleet.diff.FleetRuns.Submitted;
import trapline.fleet.diff.FleetTotals;
import trapline.fleet.diff.SessionPattern;
import trapline.journal.Journal;
import trapline.journal.JournalException;
import trapline.schemas.FleetResult;
import trapline.schemas.FleetRun;

/// `fleet`: one question about many sessions, for workers to answer.
@Command(
        name = "fleet",
        description = "Evaluates a policy over many sessions, by as many workers as there are.",
        subcommands = {FleetCommand.Compare.class, FleetCommand.State.class})
final class FleetCommand extends LogCommand implements Runnable {

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "which command?");
    }

    /// The log, which must be one in Kafka, to submit to.
    private Journal log() {
        checkLog();
        return openLogToExtend();
    }

    /// Likewise, to look at.
    private Journal logToRead() {
        checkLog();
        return openLogToRead();
    }

    private void checkLog() {
        if (main.globals.log.kind() == LogAddress.Kind.FILE) {
            throw usage(
                    "fleet: expected --log embedded:DIR or kafka:HOST:PORT, found %s",
                    main.globals.log);
        }
    }

    /// What is not there because it could not be read.
    private static void note(FleetRuns runs, Console console) {
        if (runs.unreadable() > 0) {
            console.note("%d damaged records of runs skipped", runs.unreadable());
        }
    }

    /// `fleet diff`.
    @Command(
            name = "diff",
            description =
                    "Compares the policy that each session recorded with another, over all sessions.",
            footer = {
                "",
                "Workers evaluate what is submitted: 'trapline worker', on any machine. Each session counts",
                "once, whatever happens to them. The sums are those of 'trapline diff' one by one.",
                "Ctrl-C leaves the run to the workers; --resume RUN shows its results again.",
                "",
                "Examples:",
                "  trapline fleet diff --candidate kvm-6.1,spec-ctrl=v4",
                "  trapline fleet diff --candidate my.yaml --sessions 'web-*' --detach",
                "  trapline fleet diff --resume run-1k2 --format json | jq .candidate.exits.total"
            },
            exitCodeList = "1:A session could not be evaluated.")
    static final class Compare implements Callable<Integer> {

        @ParentCommand FleetCommand fleet;

        @Option(
                names = "--candidate",
                paramLabel = "POLICY",
                description = "The policy to compare with. " + LogCommand.POLICY)
        String candidate;

        @Option(
                names = "--base",
                paramLabel = "POLICY",
                description = "Likewise. Default: the policy that each session recorded")
        String base;

        @Option(
                names = "--sessions",
                paramLabel = "GLOB",
                defaultValue = "*",
                description = {
                    "Sessions whose id or guest is of that form; * stands for any letters, ? for one.",
                    "All (*) are all that name their policy: imported traces do not.",
                    "Default: ${DEFAULT-VALUE}"
                })
        String sessions;

        @Option(
                names = "--cost",
                paramLabel = "PROFILE",
                description =
                        "A cost profile (see 'costs') or a file. Default: each host platform's own")
        String cost;

        @Option(names = "--detach", description = "Submit and do not wait.")
        boolean detach;

        @Option(
                names = "--resume",
                paramLabel = "RUN",
                description = "Show the results of a run that was submitted before.")
        String resume;

        @Override
        public Integer call() {
            if ((candidate == null) == (resume == null)) {
                throw fleet.usage("fleet diff: expected either --candidate=POLICY or --resume=RUN");
            }
            Console console = fleet.console();
            Optional<Question> question = Optional.ofNullable(candidate).map(_ -> question());
            try (Journal journal = fleet.log()) {
                FleetRuns runs = new FleetRuns(journal);
                FleetRun run =
                        question.map(asked -> submit(runs, asked, console))
                                .orElseGet(() -> runs.find(resume));
                if (detach) {
                    announce(run, console);
                    return ExitCode.DONE.number();
                }
                FleetTotals totals = follow(runs, run, console);
                FleetText.print(totals, console);
                note(runs, console);
                return (totals.failed() > 0 ? ExitCode.NO : ExitCode.DONE).number();
            }
        }

        private Question question() {
            return new Question(
                    Optional.ofNullable(base).map(MachineOptions::policy),
                    MachineOptions.policy(candidate),
                    Optional.ofNullable(cost).map(name -> CostProfile.find(name, UserFiles::text)));
        }

        private FleetRun submit(FleetRuns runs, Question question, Console console) {
            Submitted submitted = runs.submit(new SessionPattern(sessions), question);
            if (submitted.open() > 0) {
                console.note("%d sessions are still being recorded: left out", submitted.open());
            }
            if (submitted.imported() > 0) {
                console.note("%d imported traces left out", submitted.imported());
            }
            if (submitted.sessions().isEmpty()) {
                throw fleet.usage(
                        "--sessions: no session of %s that has ended matches '%s'",
                        fleet.main.globals.log, sessions);
            }
            console.note(
                    "%s: %d sessions, for 'trapline worker --log %s' to evaluate",
                    submitted.run().run(), submitted.sessions().size(), fleet.main.globals.log);
            return submitted.run();
        }

        private static void announce(FleetRun run, Console console) {
            if (console.json()) {
                console.document(
                        new LinkedHashMap<>(Map.of("run", run.run(), "sessions", run.total())));
            } else {
                console.line("%s", run.run());
            }
        }

        private FleetTotals follow(FleetRuns runs, FleetRun run, Console console) {
            FleetTotals totals = new FleetTotals(run);
            fleet.main.interrupt.hold();
            try (Console.Progress progress = console.bar("evaluating", run.total())) {
                runs.follow(
                        run,
                        result -> {
                            if (totals.add(result) && !console.json()) {
                                FleetText.row(result, console);
                            }
                            progress.accept(totals.done() + totals.failed());
                        },
                        () -> fleet.main.interrupt.getAsBoolean() && !totals.complete());
            }
            if (!totals.complete()) {
                console.note(
                        "%s goes on without you: fleet diff --resume %s", run.run(), run.run());
            }
            return totals;
        }
    }

    /// `fleet status`.
    @Command(
            name = "status",
            description = "Shows what has become of a run so far, or lists the runs.",
            footer = {
                "",
                "Examples:",
                "  trapline fleet status",
                "  trapline fleet status run-1k2",
                "  trapline fleet status run-1k2 --session ID | jq .candidate.cycles"
            })
    static final class State implements Callable<Integer> {

        @ParentCommand FleetCommand fleet;

        @Parameters(
                paramLabel = "RUN",
                index = "0",
                arity = "0..1",
                description = "A run, or how only that one begins.")
        String run;

        @Option(
                names = "--session",
                paramLabel = "SESSION",
                description = "Print what diff said of this one, as JSON.")
        String session;

        @Override
        public Integer call() {
            Console console = fleet.console();
            if (session != null && run == null) {
                throw fleet.usage("--session: of which run?");
            }
            try (Journal journal = fleet.logToRead()) {
                FleetRuns runs = new FleetRuns(journal);
                if (run == null) {
                    list(runs, console);
                } else if (session == null) {
                    FleetTotals totals = new FleetTotals(runs.find(run));
                    runs.results(totals.run(), totals::add);
                    FleetText.print(totals, console);
                } else {
                    console.line("%s", document(runs, runs.find(run)));
                }
                note(runs, console);
            }
            return ExitCode.DONE.number();
        }

        private String document(FleetRuns runs, FleetRun found) {
            List<FleetResult> one = new ArrayList<>();
            runs.results(
                    found,
                    result -> {
                        if (result.session().equals(session)) {
                            one.add(result);
                        }
                    });
            if (one.isEmpty() || one.getLast().document().isEmpty()) {
                throw new JournalException(
                        JournalException.Kind.NO_SESSION,
                        "",
                        one.isEmpty()
                                ? "%s has no result of session %s".formatted(found.run(), session)
                                : one.getLast().error().isEmpty()
                                        ? "session %s: too large a result to be kept; 'diff %s --candidate POLICY' prints it"
                                                .formatted(session, session)
                                        : "session %s: %s"
                                                .formatted(session, one.getLast().error()));
            }
            return one.getLast().document();
        }

        private static void list(FleetRuns runs, Console console) {
            List<Object> rows = new ArrayList<>();
            Table table = new Table("lllr").row("RUN", "CANDIDATE", "SESSIONS", "TASKS");
            for (FleetRun known : runs.runs()) {
                String policy = policy(known);
                table.row(known.run(), policy, known.sessions(), known.total());
                Map<String, Object> row = new LinkedHashMap<>();
                row.put("run", known.run());
                row.put("createdMillis", known.createdMillis());
                row.put("candidate", policy);
                row.put("base", known.base().map(FleetTotals::expression).orElse(null));
                row.put("costs", known.costsName().orElse(null));
                row.put("pattern", known.sessions());
                row.put("total", known.total());
                rows.add(row);
            }
            console.list("runs", rows, table);
        }

        private static String policy(FleetRun run) {
            return FleetTotals.expression(run.candidate());
        }
    }
}

package trapline.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;
import trapline.journal.Journal;
import trapline.replayer.cases.Answer;
import trapline.replayer.cases.AnswerTree;
import trapline.replayer.cases.Case;
import trapline.replayer.cases.CaseRun;

/// `cases`: claims of the mailing list, and what the model says of them.
@Command(
        name = "cases",
        description = "Lists the built-in cases: claims of the mailing list's threads.",
        subcommands = {CasesCommand.Run.class, CasesCommand.Show.class})
final class CasesCommand implements Callable<Integer> {

    @ParentCommand Main main;

    @Spec CommandSpec spec;

    @Override
    public Integer call() {
        Console console = new Console(main, spec);
        List<Object> rows = new ArrayList<>();
        Table table = new Table("lrl").row("CASE", "THREAD", "CLAIM");
        for (String name : Case.builtIn()) {
            Case found = Case.find(name, UserFiles::text);
            table.row(
                    name,
                    found.about().thread().map(String::valueOf).orElse(""),
                    found.about().claim());
            rows.add(AnswerTree.of(found));
        }
        console.list("cases", rows, table);
        return ExitCode.DONE.number();
    }

    /// `cases run`.
    @Command(
            name = "run",
            description =
                    "Records a case's sessions, compares them, and says whether the claim holds.",
            footer = {
                "",
                "The verdict is one of: holds; fails; depends, on what is said with it; moot, where what",
                "the claim is about does not happen. The sessions stay in the log, to look closer.",
                "",
                "Examples:",
                "  trapline cases run eibrs-writes",
                "  trapline cases run --all --format json",
                "  trapline cases show eibrs-writes >mine.yaml; trapline cases run mine.yaml"
            })
    static final class Run implements Callable<Integer> {

        @ParentCommand CasesCommand cases;

        @Spec CommandSpec spec;

        @Parameters(
                paramLabel = "CASE",
                arity = "0..*",
                description = "Built-in cases (see 'cases'), or files.")
        List<String> names = new ArrayList<>();

        @Option(names = "--all", description = "Every built-in case.")
        boolean all;

        @Override
        public Integer call() {
            CaseLog log = new CaseLog(cases.main, spec);
            if (all == !names.isEmpty()) {
                throw log.usage(all ? "--all, or names of cases?" : "which case?");
            }
            List<Case> questions =
                    (all ? Case.builtIn() : names)
                            .stream().map(name -> Case.find(name, UserFiles::text)).toList();
            Console console = new Console(cases.main, spec);
            List<Object> rows = new ArrayList<>();
            try (Journal journal = log.openLog();
                    Console.Progress progress = console.progress("cases", questions.size())) {
                cases.main.interrupt.hold();
                CaseSessions sessions = new CaseSessions(journal, cases.main.interrupt);
                for (Case question : questions) {
                    Answer answer = CaseRun.answer(question, sessions);
                    rows.add(AnswerTree.of(answer));
                    if (!console.json()) {
                        console.out().print(CaseText.of(answer, cases.main.globals.log));
                        console.out().flush();
                    }
                    progress.accept(rows.size());
                }
            }
            if (console.json()) {
                console.document(Map.of("cases", rows));
            }
            return ExitCode.DONE.number();
        }
    }

    /// Opens the log as the commands do that work on one.
    private static final class CaseLog extends LogCommand {

        CaseLog(Main main, CommandSpec spec) {
            this.main = main;
            this.spec = spec;
        }
    }

    /// `cases show`.
    @Command(name = "show", description = "Prints a case's file: one to start from.")
    static final class Show implements Callable<Integer> {

        @ParentCommand CasesCommand cases;

        @Parameters(paramLabel = "CASE", description = "A built-in case or a file.")
        String name;

        @Override
        public Integer call() {
            Console console = new Console(cases.main, cases.spec);
            Case found = Case.find(name, UserFiles::text);
            if (console.json()) {
                Map<String, Object> tree = new LinkedHashMap<>(AnswerTree.of(found));
                tree.put("text", found.about().text());
                console.document(tree);
            } else {
                console.out().print(found.about().text());
            }
            return ExitCode.DONE.number();
        }
    }
}
